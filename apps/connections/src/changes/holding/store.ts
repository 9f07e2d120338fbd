import type { ChangeSetId, ReasonCode } from '@manifold/contracts';
import { ofThisWorkspace } from '@manifold/database';
import { sql } from 'kysely';
import type { Db } from '../../store.ts';
import type { Pace } from './rules.ts';

/** Why the changes of a set that are with the sender wait, and when the first of them tries again. */
export interface Hold {
  change_set_id: ChangeSetId;
  reason: ReasonCode;
  until: Date;
}

/** The holds of these sets; none of a set of which a change is being sent, or tries again soon. */
export async function listHolds(
  tx: Db,
  setIds: readonly ChangeSetId[],
  soon: Date,
): Promise<Hold[]> {
  if (setIds.length === 0) return [];
  const { rows } = await sql<Hold>`
    select r.change_set_id, (array_agg(s.reason order by s.not_before))[1] as reason,
      min(s.not_before) as until
    from write_request r
    -- one by one: on a young table the planner would rather read all steps there are
    cross join lateral (
      select state, reason, not_before from write_step
      where workspace_id = r.workspace_id and write_request_id = r.id offset 0) s
    where r.${ofThisWorkspace} and r.change_set_id = any(${setIds})
      and r.state = 'pending' and r.released_at is not null and s.state in ('queued', 'sending')
    group by r.change_set_id
    having bool_and(s.state = 'queued' and s.reason is not null and s.not_before > ${soon})`.execute(
    tx,
  );
  return rows;
}

/** Changes whose pace is looked at. */
const LAST = 100;
/** A gap longer than this is a pause, and counts as this long. */
const LONGEST_GAP_SECONDS = 10;

/** How fast the last changes of each of these sets came to rest. */
export async function listPaces(
  tx: Db,
  setIds: readonly ChangeSetId[],
): Promise<(Pace & { change_set_id: ChangeSetId })[]> {
  if (setIds.length === 0) return [];
  const { rows } = await sql<Pace & { change_set_id: ChangeSetId }>`
    select wanted.id as change_set_id, count(gap)::int as changes,
      coalesce(sum(least(gap, ${LONGEST_GAP_SECONDS})) filter (where gap is not null), 0)::float8 as seconds
    from unnest(${setIds}::text[]) as wanted(id)
    cross join lateral (
      select extract(epoch from settled_at - lag(settled_at) over (order by settled_at)) as gap
      from (
        select s.settled_at from change c
        join write_step s on s.workspace_id = c.workspace_id and s.id = c.write_step_id
        where c.${ofThisWorkspace} and c.change_set_id = wanted.id and s.settled_at is not null
        order by s.settled_at desc limit ${LAST}
      ) last
    ) gaps
    group by 1`.execute(tx);
  return rows;
}
