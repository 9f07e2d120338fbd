import type { JsonObject } from '../json.ts';
import { saveRecord } from '../records/store.ts';
import type { Database } from '../store/database.ts';
import { wholeSeconds } from '../times.ts';

const FIRST_STAGES = [
  'Qualified',
  'Contact Made',
  'Demo Scheduled',
  'Proposal Made',
  'Negotiations Started',
];

/** The pipeline and the stages a new company has. */
export function seedPipelines(db: Database, now: Date): void {
  if (db.find('select 1 from pipeline limit 1') !== undefined) return;
  const times = { add_time: wholeSeconds(now), update_time: wholeSeconds(now) };
  const save = (entity: 'pipeline' | 'stage', base: JsonObject) =>
    saveRecord(db, entity, { base: { ...base, ...times }, custom: {}, revision: 0 });
  save('pipeline', {
    id: 1,
    name: 'Pipeline',
    order_nr: 1,
    is_deleted: false,
    is_deal_probability_enabled: false,
  });
  for (const [at, name] of FIRST_STAGES.entries())
    save('stage', {
      id: at + 1,
      order_nr: at + 1,
      name,
      is_deleted: false,
      deal_probability: 100,
      pipeline_id: 1,
      is_deal_rot_enabled: false,
      days_to_rotten: null,
    });
}
