import type { PipedriveObject, WorkspaceId, WriteStepId } from '@manifold/contracts';
import { ofThisWorkspace } from '@manifold/database';
import { sql } from 'kysely';
import type { Db } from '../../store.ts';
import type { Step } from '../store.ts';

/** True when a change Pipedrive reports is a write of ours coming back. */
export async function isOwnEcho(
  tx: Db,
  change: {
    workspaceId: WorkspaceId;
    companyId: string;
    object: PipedriveObject;
    pipedriveId: string;
    /** `update_time` of the record after the change, as `normaliseWebhook` gives it. */
    updateTime: string | null;
    /** The record that disappeared into this one by the change. */
    mergedFrom?: string | null | undefined;
  },
): Promise<boolean> {
  const step = await tx
    .selectFrom('write_step')
    .select('id')
    .where('workspace_id', '=', change.workspaceId)
    .where('company_id', '=', change.companyId)
    .where((where) =>
      // two ways, each by an index of its own
      where.or([
        where.and([
          where('object', '=', change.object),
          where('pipedrive_id', '=', change.pipedriveId),
          where.or([
            where('record_update_time', '=', change.updateTime ?? ''),
            // the webhook can overtake the answer to the call that caused it
            where('state', 'in', ['sending', 'unknown']),
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
    .limit(1)
    .executeTakeFirst();
  return step !== undefined;
}

/** Creates that were sent and whose end is not known yet, less those whose mark is none of these. */
export async function listOpenCreates(
  tx: Db,
  of: {
    workspaceId: WorkspaceId;
    companyId: string;
    object: PipedriveObject;
    marks: readonly string[];
  },
): Promise<Step[]> {
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
    .limit(500)
    .execute();
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
