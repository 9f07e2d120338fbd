import type { PipedriveObject, ReasonCode } from '@manifold/contracts';
import { countRows, ofThisWorkspace, pageByKeyset } from '@manifold/database';
import type { PageRequest } from '@manifold/subgraph';
import { type ExpressionBuilder, sql } from 'kysely';
import type { Db, Tables } from '../../store.ts';
import type { Step } from '../store.ts';
import type { StepState } from '../tables.ts';

export interface StepFilter {
  states?: readonly StepState[] | undefined;
  reasons?: readonly ReasonCode[] | undefined;
  objects?: readonly PipedriveObject[] | undefined;
  connectionId?: string | undefined;
  pipedriveId?: string | undefined;
  causeService?: string | undefined;
}

const matches = (filter: StepFilter) => (where: ExpressionBuilder<Tables, 'write_step'>) =>
  where.and([
    ofThisWorkspace,
    ...(filter.states ? [isAnyOf('state', filter.states)] : []),
    ...(filter.reasons ? [isAnyOf('reason', filter.reasons)] : []),
    ...(filter.objects ? [isAnyOf('object', filter.objects)] : []),
    ...(filter.connectionId ? [where(sql<string>`connection_id`, '=', filter.connectionId)] : []),
    ...(filter.pipedriveId ? [where('pipedrive_id', '=', filter.pipedriveId)] : []),
    ...(filter.causeService ? [isCausedBy(filter.causeService)] : []),
  ]);

/** None of nothing, where `in ()` would be no SQL. */
const isAnyOf = (column: 'state' | 'reason' | 'object', values: readonly string[]) =>
  sql<boolean>`${sql.ref(column)} = any(${values}::text[])`;

const isCausedBy = (service: string) => sql<boolean>`exists (
  select from write_request request where request.workspace_id = write_step.workspace_id
    and request.id = write_step.write_request_id and request.cause_service = ${service})`;

/** One page of steps by time of storing; the cursor is the time and the id of a row. */
export async function listFilteredSteps(
  tx: Db,
  filter: StepFilter,
  page: PageRequest & { newestFirst: boolean },
): Promise<Step[]> {
  const rows = tx.selectFrom('write_step').selectAll().where(matches(filter));
  const by = ['created_at', 'id'];
  return pageByKeyset(rows, { by, descending: page.newestFirst, page }).execute();
}

export async function countSteps(tx: Db, filter: StepFilter): Promise<number> {
  return countRows(tx.selectFrom('write_step').where(matches(filter)));
}

/** Parked steps, in one order of their requests, so that two who take them never wait for each other. */
export async function listParkedSteps(tx: Db, filter: StepFilter, limit: number): Promise<Step[]> {
  return tx
    .selectFrom('write_step')
    .selectAll()
    .where(matches({ ...filter, states: ['parked'] }))
    .orderBy('write_request_id')
    .orderBy('position')
    .limit(limit)
    .execute();
}
