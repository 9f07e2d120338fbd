import type { ChangeId, ChangeSetId, ReasonCode } from '@manifold/contracts';
import { countRows, pageByKeyset } from '@manifold/database';
import type { PageRequest } from '@manifold/subgraph';
import { type ExpressionBuilder, sql } from 'kysely';
import type { Db, Tables } from '../../../store.ts';
import type { StepState } from '../../../writes/tables.ts';
import type { ChangeEffect } from '../../tables.ts';
import type { Change } from '../store.ts';

/** A change with what came of its step. */
export interface ChangeRow extends Change {
  step_state: StepState;
  step_reason: ReasonCode | null;
  step_pipedrive_id: string | null;
  cause: string | null;
  fix: string | null;
  pipedrive_url: string | null;
  cost_tokens: number;
}

export interface ChangeFilter {
  effects?: readonly ChangeEffect[] | undefined;
  states?: { isPending?: boolean; isPlanned?: boolean; ofSteps: readonly StepState[] } | undefined;
  reasons?: readonly string[] | undefined;
}

const resting = (
  where: ExpressionBuilder<Tables, 'change' | 'write_step'>,
  comparison: 'is' | 'is not',
) =>
  where.and([where('write_step.state', '=', 'planned'), where('change.effect', comparison, null)]);

const matches =
  (setId: ChangeSetId, filter: ChangeFilter) =>
  (where: ExpressionBuilder<Tables, 'change' | 'write_step'>) =>
    where.and([
      sql<boolean>`change.workspace_id = current_setting('manifold.workspace')`,
      where('change_set_id', '=', setId),
      ...(filter.effects ? [where('change.effect', 'in', filter.effects)] : []),
      ...(filter.states
        ? [
            where.or([
              sql<boolean>`write_step.state = any(${filter.states.ofSteps}::text[])`,
              ...(filter.states.isPending === true ? [resting(where, 'is')] : []),
              ...(filter.states.isPlanned === true ? [resting(where, 'is not')] : []),
            ]),
          ]
        : []),
      ...(filter.reasons
        ? [where(sql<string>`coalesce(write_step.reason, change.reason)`, 'in', filter.reasons)]
        : []),
    ]);

const withSteps = (tx: Db) =>
  tx
    .selectFrom('change')
    .innerJoin('write_step', (join) =>
      join
        .onRef('write_step.workspace_id', '=', 'change.workspace_id')
        .onRef('write_step.id', '=', 'change.write_step_id'),
    );

const columns = [
  'write_step.state as step_state',
  'write_step.reason as step_reason',
  'write_step.pipedrive_id as step_pipedrive_id',
  'write_step.cause as cause',
  'write_step.fix as fix',
  'write_step.pipedrive_url as pipedrive_url',
  'write_step.cost_tokens as cost_tokens',
] as const;

/** One page of the changes of a set, in the order they were asked for. */
export async function listChanges(
  tx: Db,
  { setId, filter }: { setId: ChangeSetId; filter: ChangeFilter },
  page: PageRequest,
): Promise<ChangeRow[]> {
  const rows = withSteps(tx).selectAll('change').select(columns).where(matches(setId, filter));
  return pageByKeyset(rows, { by: ['change.id'], descending: false, page }).execute();
}

export async function countChanges(
  tx: Db,
  setId: ChangeSetId,
  filter: ChangeFilter,
): Promise<number> {
  return countRows(withSteps(tx).where(matches(setId, filter)));
}

export async function listChangesByIds(tx: Db, ids: readonly ChangeId[]): Promise<ChangeRow[]> {
  if (ids.length === 0) return [];
  return withSteps(tx)
    .selectAll('change')
    .select(columns)
    .where(sql<boolean>`change.workspace_id = current_setting('manifold.workspace')`)
    .where('change.id', 'in', ids)
    .execute();
}
