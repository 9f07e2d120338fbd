import type { JsonObject } from '../json.ts';
import { isObject, parseObject } from '../json.ts';
import { saveLead } from '../leads/store.ts';
import { listNotesOf, saveNote } from '../notes/store.ts';
import { primaryOf } from '../activities/activity.ts';
import type { RecordEntity } from '../records/entities.ts';
import { findRecordRow, readRecord } from '../records/store.ts';
import { fieldRevision } from '../records/custom-part.ts';
import { saveRecord } from '../records/store.ts';
import { spacedTime, wholeSeconds } from '../times.ts';
import type { World } from '../world.ts';

export type Mergeable = 'person' | 'organization' | 'deal';

interface Move {
  from: number;
  to: number;
}

const COLUMN: Record<Mergeable, string> = {
  person: 'person_id',
  organization: 'org_id',
  deal: 'deal_id',
};

const POINTING: Record<Mergeable, RecordEntity[]> = {
  person: ['deal'],
  organization: ['person', 'deal', 'activity'],
  deal: ['activity'],
};

/** What hung on the merged record hangs on the survivor: changed by their update time, without webhooks of their own. */
export function moveLinks(entity: Mergeable, move: Move, world: World): void {
  const column = COLUMN[entity];
  for (const pointing of POINTING[entity]) moveRecords(pointing, column, move, world);
  if (entity === 'person') moveParticipants(move, world);
  if (entity === 'deal') moveProducts(move, world);
  else moveLeads(entity === 'person' ? 'person_id' : 'organization_id', move, world);
  for (const note of listNotesOf(world.db, column, move.from)) {
    const update_time = spacedTime(world.now());
    saveNote(world.db, { ...note, [column]: move.to, update_time });
  }
}

function moveRecords(entity: RecordEntity, column: string, { from, to }: Move, world: World): void {
  for (const id of listIds(`select id from ${entity} where ${column} = ?`, from, world))
    resave(entity, id, (base) => ({ ...base, [column]: to }), world);
}

/** A person appears once among the participants of an activity. */
function moveParticipants({ from, to }: Move, world: World): void {
  const sql = `select id from activity where person_id = ?
    or exists (select 1 from json_each(base, '$.participants') where json_extract(value, '$.person_id') = ?2)`;
  const ids = world.db.list<{ id: number }>(sql, from, from).map((row) => row.id);
  for (const id of ids)
    resave(
      'activity',
      id,
      (base) => {
        const people = Array.isArray(base.participants) ? base.participants.filter(isObject) : [];
        const primary = people.find((item) => item.primary === true)?.person_id ?? null;
        const moved = (personId: unknown) => (personId === from ? to : Number(personId));
        const unique = [...new Set(people.map((item) => moved(item.person_id)))];
        const participants = unique.map((personId) => ({
          person_id: personId,
          primary: personId === moved(primary),
        }));
        return { ...base, participants, person_id: primaryOf({ participants }) };
      },
      world,
    );
}

function resave(
  entity: RecordEntity,
  id: number,
  change: (base: JsonObject) => JsonObject,
  world: World,
): void {
  const row = findRecordRow(world.db, entity, id);
  if (row === undefined) return;
  const { base, custom, deleted } = readRecord(row);
  // a deleted record keeps the time it was deleted at
  const time = deleted ? {} : { update_time: wholeSeconds(world.now()) };
  const revision = Math.min(row.revision, fieldRevision(entity, world));
  saveRecord(world.db, entity, { base: { ...change(base), ...time }, custom, revision });
}

function moveProducts({ from, to }: Move, { db }: World): void {
  const rows = db.list<{ id: number; base: string }>(
    'select id, base from deal_product where deal_id = ?',
    from,
  );
  for (const { id, base } of rows) {
    const moved = { ...parseObject(base), deal_id: to };
    const sql = 'update deal_product set deal_id = ?, base = ? where id = ?';
    db.run(sql, to, JSON.stringify(moved), id);
  }
}

function moveLeads(
  column: 'person_id' | 'organization_id',
  { from, to }: Move,
  { db, now }: World,
): void {
  const sql = `select base, custom from lead where ${column} = ?`;
  for (const row of db.list<{ base: string; custom: string }>(sql, from)) {
    const base = { ...parseObject(row.base), [column]: to, update_time: now().toISOString() };
    saveLead(db, { base, custom: parseObject(row.custom) });
  }
}

function listIds(sql: string, id: number, { db }: World): number[] {
  return db.list<{ id: number }>(sql, id).map((row) => row.id);
}
