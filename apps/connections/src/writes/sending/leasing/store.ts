import { sql } from 'kysely';
import type { Lane } from '../../../budget/tables.ts';
import type { Db } from '../../../store.ts';
import type { Step } from '../../store.ts';

export interface Leasing {
  lanes: readonly Lane[];
  limit: number;
  owner: string;
  now: Date;
  until: Date;
}

/**
 * Takes steps whose time has come and whose turn it is on every key they touch, lane by lane. Within
 * a lane one connection has as many in hand as another, and so has one job of a connection, however
 * long. Calls of unknown end come before what was not sent yet. Steps of connections that do not work,
 * or rest, stay where they are. Across workspaces.
 */
export async function leaseSteps(tx: Db, lease: Leasing): Promise<Step[]> {
  const { now, limit, until, owner } = lease;
  // planning it anew takes longer than running it, and its plan does not depend on what is asked
  await sql`set local plan_cache_mode = force_generic_plan`.execute(tx);
  const { rows } = await sql<Step>`
    with recursive job as (${jobsOf(lease)}), held as (
      select workspace_id, connection_id, job, count(*) as steps from write_step
      where lease_until is not null and lease_until > ${now} group by 1, 2, 3
    ), next as (
      select job.connection_id, job.lane_rank, picked.*, coalesce(held.steps, 0) + row_number() over (
          partition by job.connection_id, job.lane_rank, job.job
          order by picked.rank, picked.not_before, picked.id) as turn
      from job left join held using (workspace_id, connection_id, job)
      cross join lateral (
        ${pick(lease, `'sending', 'unknown'`, 1)} union all ${pick(lease, `'queued'`, 2)}
      ) picked
    ), candidate as (
      select next.workspace_id, next.id from next left join (
        select connection_id, sum(steps) as steps from held group by 1
      ) busy using (connection_id)
      order by next.lane_rank, coalesce(busy.steps, 0) + row_number() over (
        partition by next.connection_id, next.lane_rank
        order by next.rank, next.turn, next.not_before, next.id), next.not_before
      limit ${limit}
    ), mine as (
      select s.workspace_id, s.id from write_step s
      join candidate on candidate.workspace_id = s.workspace_id and candidate.id = s.id
      where s.state in ('queued', 'sending', 'unknown') and ${isDue(now)} for update of s skip locked
    )
    update write_step s set lease_until = ${until}, lease_owner = ${owner}, fence = s.fence + 1
    from mine where s.workspace_id = mine.workspace_id and s.id = mine.id
    returning s.*`.execute(tx);
  return rows;
}

const isDue = (now: Date) =>
  sql`s.not_before <= ${now} and (s.lease_until is null or s.lease_until <= ${now})`;

const MOST_JOBS = sql.lit(200);

/** What waits in each lane of each connection, found by leaps along the index of steps that may be due. */
const jobsOf = ({ lanes, now }: Leasing) => sql`
  select c.workspace_id, c.id as connection_id, l.lane, l.rank as lane_rank, 1 as number, (
      select min(s.job) from write_step s where s.workspace_id = c.workspace_id
        and s.connection_id = c.id and s.lane = l.lane
        and s.state in ('queued', 'sending', 'unknown')) as job
  from connection c cross join unnest(${lanes}::text[]) with ordinality as l (lane, rank)
  where c.status = 'ACTIVE' and not exists (
    select from api_window w
    where w.credential = coalesce(c.grant_id, 'user:' || c.company_id || ':' || c.pipedrive_user_id)
      and (w.paused_until > ${now} or w.probe_until > ${now}))
  union all
  select job.workspace_id, job.connection_id, job.lane, job.lane_rank, job.number + 1, (
      select min(s.job) from write_step s where s.workspace_id = job.workspace_id
        and s.connection_id = job.connection_id and s.lane = job.lane and s.job > job.job
        and s.state in ('queued', 'sending', 'unknown'))
  from job where job.job is not null and job.number < ${MOST_JOBS}`;

/** The first steps of a job in some states; the walk along the index stops at the limit. */
const pick = ({ now, limit }: Leasing, states: string, rank: number) => sql`(
  select s.workspace_id, s.id, s.not_before, ${sql.lit(rank)} as rank from write_step s
  where s.workspace_id = job.workspace_id and s.connection_id = job.connection_id
    and s.lane = job.lane and s.job = job.job and s.state in (${sql.raw(states)}) and ${isDue(now)}
    and not exists (
      select from write_turn mine
      -- one by one: on a young table the planner would rather read all steps there are
      cross join lateral (
        select step_id from write_turn
        where workspace_id = mine.workspace_id and company_id = mine.company_id
          and key_hash = mine.key_hash and turn < mine.turn offset 0) earlier
      cross join lateral (
        select state from write_step
        where workspace_id = mine.workspace_id and id = earlier.step_id offset 0) before
      where mine.workspace_id = s.workspace_id and mine.step_id = s.id
        and before.state in ('queued', 'sending', 'unknown'))
  order by s.not_before, s.id limit ${limit})`;

/** Keeps the leases a process still works on; across workspaces. */
export async function extendLeases(
  tx: Db,
  lease: { owner: string; steps: readonly Pick<Step, 'workspace_id' | 'id'>[]; until: Date },
): Promise<void> {
  const { owner, steps, until } = lease;
  if (steps.length === 0) return;
  await sql`update write_step s set lease_until = ${until}
    from unnest(${steps.map((step) => step.workspace_id)}::text[],
      ${steps.map(({ id }) => id)}::text[]) held (workspace_id, id)
    where s.workspace_id = held.workspace_id and s.id = held.id
      and s.lease_owner = ${owner} and s.lease_until is not null`.execute(tx);
}
