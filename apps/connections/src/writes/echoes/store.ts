import type { PipedriveObject, WorkspaceId, WriteStepId } from '@manifold/contracts';
import { ofThisWorkspace } from '@manifold/database';
import { sql } from 'kysely';
import type { Db } from '../../store.ts';
import type { Step } from '../store.ts';

/** Enough: one record is written by one step at a time, and an answer's time holds for a second. */
const MOST_STEPS = 20;

/** Steps whose call may have made a change of a record: in doubt, or answered with its time. */
export async function listSentTo(
  tx: Db,
  change: {
    workspaceId: WorkspaceId;
    companyId: string;
    object: PipedriveObject;
    pipedriveId: string;
    /** `update_time` of the record after the change. */
    updateTime: string | null;
    mergedFrom?: string | null | undefined;
    /** When a delete of ours must have ended to be the change; absent when it is no delete. */
    deletedSince?: Date | undefined;
  },
): Promise<Step[]> {
  // a step put back after a call of unknown end has sent it all the same
  const mayBeUnderWay = sql<boolean>`state in ('sending', 'unknown', 'queued') and sent_at is not null`;
  // a delete has its own time at Pipedrive, and its answer does not tell it
  const { deletedSince = null } = change;
  const hasDeleted = sql<boolean>`effect = 'deleted' and settled_at >= ${deletedSince}`;
  return tx
    .selectFrom('write_step')
    .selectAll()
    .where('workspace_id', '=', change.workspaceId)
    .where('company_id', '=', change.companyId)
    .where((where) =>
      // each by an index of its own
      where.or([
        where.and([
          where('object', '=', change.object),
          where('pipedrive_id', '=', change.pipedriveId),
          where.or([
            where('record_update_time', '=', change.updateTime ?? ''),
            mayBeUnderWay,
            hasDeleted,
          ]),
        ]),
        where.and([
          where('object', '=', change.object),
          where('state', 'in', ['sending', 'unknown']),
          where('echo_pipedrive_id', '=', change.pipedriveId),
        ]),
        // a merge tells of both of its records
        where.and([
          where('object', '=', change.object),
          where('loser_pipedrive_id', 'in', [change.pipedriveId, change.mergedFrom ?? '']),
          where('state', 'in', ['sending', 'unknown', 'applied']),
        ]),
      ]),
    )
    .orderBy('created_at', 'desc')
    .limit(MOST_STEPS)
    .execute();
}

/**
 * A page of creates that were sent and whose end is not known yet, less those whose mark is none of
 * these, oldest first.
 */
export async function listOpenCreates(
  tx: Db,
  of: {
    workspaceId: WorkspaceId;
    companyId: string;
    object: PipedriveObject;
    marks: readonly string[];
  },
  page: { limit: number; after?: WriteStepId | undefined } = { limit: 500 },
): Promise<Step[]> {
  const { after, limit } = page;
  return tx
    .selectFrom('write_step')
    .selectAll()
    .where('workspace_id', '=', of.workspaceId)
    .where('company_id', '=', of.companyId)
    .where('object', '=', of.object)
    .where('state', 'in', ['sending', 'unknown'])
    .where('sent_effect', '=', 'created')
    .where('echo_pipedrive_id', 'is', null)
    .where(sql<boolean>`(mark is null or mark = any(${of.marks}::text[]))`)
    .$if(after !== undefined, (query) =>
      query.where(sql<boolean>`(sent_at, id) > (
        select sent_at, id from write_step
        where workspace_id = ${of.workspaceId} and id = ${after})`),
    )
    .orderBy('sent_at')
    .orderBy('id')
    .limit(limit)
    .execute();
}

/** Those of these records that other steps are known to have made. */
export async function listMadeByOthers(
  tx: Db,
  of: Pick<Step, 'workspace_id' | 'company_id' | 'object' | 'id'>,
  pipedriveIds: readonly string[],
): Promise<string[]> {
  if (pipedriveIds.length === 0) return [];
  const rows = await tx
    .selectFrom('write_step')
    .select('pipedrive_id')
    .where('workspace_id', '=', of.workspace_id)
    .where('company_id', '=', of.company_id)
    .where('object', '=', of.object)
    .where(sql<boolean>`pipedrive_id = any(${[...pipedriveIds]}::text[])`)
    .where('effect', '=', 'created')
    .where('id', '!=', of.id)
    .execute();
  return rows.flatMap(({ pipedrive_id }) => pipedrive_id ?? []);
}

/** A webhook showed the record an open create made: no need to wait for the settle time. */
export async function setEcho(
  tx: Db,
  id: WriteStepId,
  echo: { pipedriveId: string; now: Date },
): Promise<void> {
  await tx
    .updateTable('write_step')
    .set({ echo_pipedrive_id: echo.pipedriveId })
    .where(ofThisWorkspace)
    .where('id', '=', id)
    .where('state', 'in', ['sending', 'unknown'])
    .execute();
  await tx
    .updateTable('write_step')
    .set({ not_before: echo.now })
    .where(ofThisWorkspace)
    .where('id', '=', id)
    .where('state', '=', 'unknown')
    .execute();
}
