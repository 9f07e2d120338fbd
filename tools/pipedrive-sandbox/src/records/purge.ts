import { saveSetting } from '../store/settings.ts';
import { wholeSeconds } from '../times.ts';
import type { World } from '../world.ts';
import { RECORD_ENTITIES } from './entities.ts';
import { lastPurgedKey, nextRecordId } from './store.ts';

const KEPT_MS = 30 * 86_400_000;
const lastRuns = new WeakMap<World, string>();

/** Deleted records are gone for good after thirty days. Runs before requests, once per second of the sandbox's clock. */
export function purgeDeleted(world: World): void {
  const { db, now } = world;
  const before = wholeSeconds(new Date(now().getTime() - KEPT_MS));
  if (lastRuns.get(world) === before) return;
  lastRuns.set(world, before);
  const outdated = 'deleted = 1 and update_time < ?';
  for (const entity of RECORD_ENTITIES) {
    if (db.find(`select 1 from ${entity} where ${outdated}`, before) === undefined) continue;
    db.transaction(() => {
      const next = nextRecordId(db, entity);
      const gone = `select id from ${entity} where ${outdated}`;
      db.run(`delete from term where entity = ? and record_id in (${gone})`, entity, before);
      db.run(`delete from change_log where entity = ? and record_id in (${gone})`, entity, before);
      db.run(`delete from ${entity} where ${outdated}`, before);
      saveSetting(db, lastPurgedKey(entity), String(next - 1));
    });
  }
}
