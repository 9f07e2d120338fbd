import type { PipedriveObject, ReasonCode } from '@manifold/contracts';
import { countRows, ofThisWorkspace, pageByKeyset } from '@manifold/database';
import type { PageRequest } from '@manifold/subgraph';
import { type ExpressionBuilder, sql } from 'kysely';
import type { Db, Tables } from '../../store.ts';
import { stoppedStates } from '../redriving/rules.ts';
import type { Step } from '../store.ts';
import type { StepState } from '../tables.ts';

export interface StepFilter {
  states?: readonly StepState[] | undefined;
  reasons?: readonly ReasonCode[] | undefined;
  objects?: readonly PipedriveObject[] | undefined;
  connectionId?: string | undefined;
  pipedriveId?: string | undefined;
  causeService?: string | undefined;
  /** Whether somebody stopped the change set it belongs to. */
  isStopped?: boolean | undefined;
  /** Through a connection this user may use: the organization's, or their own. */
  usableBy?: string | undefined;
}

const matches = (filter: StepFilter) => (where: ExpressionBuilder<Tables, 'write_step'>) =>
  where.and([
    ofThisWorkspace,
    ...(filter.states ? [isAnyOf('state', filter.states)] : []),
    ...(filter.reasons ? [isAnyOf('reason', filter.reasons)] : []),
    ...(filter.objects ? [isAnyOf('object', filter.objects)] : []),
    ...(filter.connectionId ? [where(sql<string>`connection_id`, '=', filter.connectionId)] : []),
    ...(filter.pipedriveId ? [isAbout(filter.pipedriveId)] : []),
    ...(filter.causeService ? [isCausedBy(filter.causeService)] : []),
    ...(filter.usableBy === undefined ? [] : [isUsableBy(filter.usableBy)]),
    ...(filter.isStopped === undefined ? [] : [isStopped(filter.isStopped)]),
  ]);

/** One that was not written has no record of its own, and says which one it was meant for. */
const isAbout = (id: string) =>
  sql<boolean>`(pipedrive_id = ${id} or target_pipedrive_id = ${id} or loser_pipedrive_id = ${id})`;

const isStopped = (wanted: boolean) => sql<boolean>`${wanted} = exists (
  select from write_request request join change_set on
    change_set.workspace_id = request.workspace_id and change_set.id = request.change_set_id
  where request.workspace_id = write_step.workspace_id and request.id = write_step.write_request_id
    and change_set.state = any(${stoppedStates}::text[]))`;

const isUsableBy = (userId: string) => sql<boolean>`exists (
  select from connection where connection.workspace_id = write_step.workspace_id
    and connection.id = write_step.connection_id
    and (connection.kind = 'ORGANIZATION' or connection.user_id = ${userId}))`;

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
