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
  const { workspaceId, companyId, object, pipedriveId, updateTime, mergedFrom } = change;
  const ofObject = sql`workspace_id = ${workspaceId} and company_id = ${companyId} and object = ${object}`;
  const { rows } = await sql<Step>`
    select * from write_step where workspace_id = ${workspaceId} and id = any (array(
      -- a step put back after a call of unknown end has sent it all the same; a delete has its own
      -- time at Pipedrive, and its answer does not tell it
      select id from write_step where ${ofObject} and pipedrive_id = ${pipedriveId}
        and (record_update_time = ${updateTime ?? ''}
          or state in ('sending', 'unknown', 'queued') and sent_at is not null
          or effect = 'deleted' and settled_at >= ${change.deletedSince ?? null})
      union
      select id from write_step where ${ofObject} and echo_pipedrive_id = ${pipedriveId}
        and state in ('sending', 'unknown')
      union
      -- a merge tells of both of its records
      select id from write_step where ${ofObject}
        and loser_pipedrive_id in (${pipedriveId}, ${mergedFrom ?? ''})
        and state in ('sending', 'unknown', 'applied')))
    order by created_at desc limit ${sql.lit(MOST_STEPS)}`.execute(tx);
  return rows;
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

/** Whether another create that left before then has no answer yet: its record may be there already. */
export async function isCreateUnderWay(
  tx: Db,
  of: Pick<Step, 'workspace_id' | 'company_id' | 'object' | 'id'>,
  sentBefore: Date,
): Promise<boolean> {
  const found = await tx
    .selectFrom('write_step')
    .select('id')
    .where('workspace_id', '=', of.workspace_id)
    .where('company_id', '=', of.company_id)
    .where('object', '=', of.object)
    .where('state', '=', 'sending')
    .where('sent_effect', '=', 'created')
    .where('sent_at', '<=', sentBefore)
    .where('id', '!=', of.id)
    .limit(1)
    .executeTakeFirst();
  return found !== undefined;
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
