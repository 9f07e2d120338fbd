import type { Json } from '../json.ts';
import type { World } from '../world.ts';
import type { RecordEntity } from './entities.ts';
import type { RecordRow } from './store.ts';

/** The column by which deals, activities and notes point at a record. */
const POINTERS: Partial<Record<RecordEntity, string>> = {
  person: 'person_id',
  organization: 'org_id',
  deal: 'deal_id',
};

const COUNTS: Record<string, string> = {
  open_deals_count: "deal where deleted = 0 and status = 'open'",
  closed_deals_count: "deal where deleted = 0 and status <> 'open'",
  won_deals_count: "deal where deleted = 0 and status = 'won'",
  lost_deals_count: "deal where deleted = 0 and status = 'lost'",
  activities_count: 'activity where deleted = 0',
  done_activities_count: 'activity where deleted = 0 and done = 1',
  undone_activities_count: 'activity where deleted = 0 and done = 0',
  notes_count: 'note where active = 1',
};

/** A property that is served only when `include_fields` asks for it. Mail and campaigns do not exist here. */
export function optionalValue(
  entity: RecordEntity,
  { id, base }: RecordRow,
  key: string,
  world: World,
): Json {
  const pointer = POINTERS[entity];
  const counted = COUNTS[key];
  if (counted !== undefined && pointer !== undefined)
    return count(world, `${counted} and ${pointer} = ?`, id);
  switch (key) {
    case 'people_count':
      return count(world, 'person where deleted = 0 and org_id = ?', id);
    case 'products_count':
      return count(world, 'deal_product where deal_id = ?', id);
    case 'participants_count':
      return JSON.parse(base).person_id === null ? 0 : 1;
    case 'first_won_time':
      return JSON.parse(base).won_time;
    case 'next_activity_id':
      return pointer === undefined ? null : activity(world, `${pointer} = ? and done = 0`, id);
    case 'last_activity_id':
      return pointer === undefined
        ? null
        : activity(world, `${pointer} = ? and done = 1`, id, 'desc');
    case 'attendees':
      return JSON.parse(base).attendees ?? [];
    case 'marketing_status':
      return 'no_consent';
    case 'smart_bcc_email':
      return `${world.company.domain}@pipedrivemail.example`;
    default:
      return key.endsWith('_count') ? 0 : null;
  }
}

function count({ db }: World, from: string, id: number): number {
  return db.find<{ count: number }>(`select count(*) as count from ${from}`, id)?.count ?? 0;
}

function activity({ db }: World, which: string, id: number, order = 'asc'): number | null {
  const sql = `select id from activity where deleted = 0 and ${which}
    order by due_date ${order}, id ${order} limit 1`;
  return db.find<{ id: number }>(sql, id)?.id ?? null;
}
