import type { OverwriteId, PipedriveObject, WorkspaceId } from '@manifold/contracts';
import { countRows, ofThisWorkspace, pageByKeyset } from '@manifold/database';
import type { PageRequest } from '@manifold/subgraph';
import { type ExpressionBuilder, type Selectable, sql } from 'kysely';
import type { Db, Tables } from '../../store.ts';
import type { Step } from '../store.ts';
import type { OverwriteTables } from './tables.ts';

export type Overwrite = Selectable<OverwriteTables['overwrite']>;

/** Enough: one record is written by one step at a time. */
const MOST_STEPS = 5;

/** Updates of ours that a change of a record may be the echo of, with their images. */
export async function listEchoedUpdates(
  tx: Db,
  change: {
    workspaceId: WorkspaceId;
    companyId: string;
    object: PipedriveObject;
    pipedriveId: string;
    updateTime: string | null;
  },
): Promise<Step[]> {
  return tx
    .selectFrom('write_step')
    .selectAll()
    .where('workspace_id', '=', change.workspaceId)
    .where('company_id', '=', change.companyId)
    .where('object', '=', change.object)
    .where('pipedrive_id', '=', change.pipedriveId)
    .where('sealed_before', 'is not', null)
    .where((where) =>
      where.or([
        where('record_update_time', '=', change.updateTime ?? ''),
        // the webhook can overtake the answer to the call that caused it
        sql<boolean>`state in ('sending', 'unknown', 'queued') and sent_at is not null`,
      ]),
    )
    .limit(MOST_STEPS)
    .execute();
}

/** False when it was noted before. */
export async function insertOverwrite(tx: Db, overwrite: Overwrite): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('overwrite')
    .values(overwrite)
    .onConflict((conflict) => conflict.columns(['workspace_id', 'write_step_id']).doNothing())
    .executeTakeFirst();
  return (numInsertedOrUpdatedRows ?? 0n) > 0n;
}

export async function lockOverwrite(tx: Db, id: OverwriteId): Promise<Overwrite | undefined> {
  return tx
    .selectFrom('overwrite')
    .selectAll()
    .where(ofThisWorkspace)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
}

export async function setOverwriteState(
  tx: Db,
  id: OverwriteId,
  change: Pick<Overwrite, 'state' | 'closed_at' | 'restored_by'>,
): Promise<void> {
  await tx
    .updateTable('overwrite')
    .set(change)
    .where(ofThisWorkspace)
    .where('id', '=', id)
    .execute();
}

export async function listOverwritesByIds(
  tx: Db,
  ids: readonly OverwriteId[],
): Promise<Overwrite[]> {
  if (ids.length === 0) return [];
  return tx
    .selectFrom('overwrite')
    .selectAll()
    .where(ofThisWorkspace)
    .where('id', 'in', ids)
    .execute();
}

export interface OverwriteFilter {
  states?: readonly Overwrite['state'][] | undefined;
  connectionId?: string | undefined;
  objects?: readonly PipedriveObject[] | undefined;
  pipedriveId?: string | undefined;
}

const matches = (filter: OverwriteFilter) => (where: ExpressionBuilder<Tables, 'overwrite'>) =>
  where.and([
    ofThisWorkspace,
    ...(filter.states ? [sql<boolean>`state = any(${filter.states}::text[])`] : []),
    ...(filter.connectionId ? [where(sql<string>`connection_id`, '=', filter.connectionId)] : []),
    ...(filter.objects ? [sql<boolean>`object = any(${filter.objects}::text[])`] : []),
    ...(filter.pipedriveId ? [where('pipedrive_id', '=', filter.pipedriveId)] : []),
  ]);

/** One page of overwrites, newest first unless asked otherwise; the cursor is time and id of a row. */
export async function listOverwrites(
  tx: Db,
  filter: OverwriteFilter,
  page: PageRequest & { newestFirst: boolean },
): Promise<Overwrite[]> {
  const rows = tx.selectFrom('overwrite').selectAll().where(matches(filter));
  const by = ['noticed_at', 'id'];
  return pageByKeyset(rows, { by, descending: page.newestFirst, page }).execute();
}

export async function countOverwrites(tx: Db, filter: OverwriteFilter): Promise<number> {
  return countRows(tx.selectFrom('overwrite').where(matches(filter)));
}
