import type { ConnectionId, PipedriveObject } from '@manifold/contracts';
import { sql } from 'kysely';
import type { Db } from '../../store.ts';
import type { Lane } from '../tables.ts';

/** Waiting steps of one kind. */
export interface QueuedSteps {
  lane: Lane;
  job: string;
  change_set_id: string | null;
  object: PipedriveObject;
  operation: 'upsert' | 'create' | 'update' | 'merge' | 'link' | 'delete';
  steps: number;
  /** Of these: with a record that our own links know, and with a plan of what they will do. */
  linked: number;
  planned: number;
  /** Of those with a plan: how many change something, and what that costs. */
  planned_calls: number;
  planned_tokens: number;
}

/** What waits to be sent through a connection, what applied change sets still hold back included. */
export async function listQueued(tx: Db, connectionId: ConnectionId): Promise<QueuedSteps[]> {
  const { rows } = await sql<QueuedSteps>`
    select s.lane, s.job, r.change_set_id, s.object, s.operation, count(*)::int as steps,
      count(*) filter (where c.id is null and exists (
        select from link l where l.workspace_id = s.workspace_id and l.company_id = s.company_id
          and l.object = s.object and l.key_hash = any (s.key_hashes) and l.state = 'linked'
      ))::int as linked,
      count(c.id)::int as planned,
      (count(c.id) filter (where c.price_tokens > 0))::int as planned_calls,
      coalesce(sum(c.price_tokens), 0)::int as planned_tokens
    from write_request r
    join write_step s on s.workspace_id = r.workspace_id and s.write_request_id = r.id
    left join change_set cs on cs.workspace_id = r.workspace_id and cs.id = r.change_set_id
    left join change c on c.workspace_id = s.workspace_id and c.write_step_id = s.id
    where r.workspace_id = current_setting('manifold.workspace')
      and r.connection_id = ${connectionId} and r.state = 'pending'
      and s.state in ('planned', 'queued', 'sending', 'unknown')
      and (r.change_set_id is null or cs.state = 'applying')
    group by s.lane, s.job, r.change_set_id, s.object, s.operation`.execute(tx);
  return rows;
}
