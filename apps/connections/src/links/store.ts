import type { PipedriveObject, WorkspaceId, WriteStepId } from '@manifold/contracts';
import { ofThisWorkspace } from '@manifold/database';
import type { Selectable } from 'kysely';
import type { Db } from '../store.ts';
import type { LinkTables } from './tables.ts';

export type Link = Selectable<LinkTables['link']>;

/** The keys of one record, or of one that is to be. */
export interface LinkKeys {
  workspaceId: WorkspaceId;
  companyId: string;
  object: PipedriveObject;
  keyHashes: readonly string[];
}

/** The records these keys mean, in no order. */
export async function listLinks(tx: Db, keys: LinkKeys): Promise<Link[]> {
  if (keys.keyHashes.length === 0) return [];
  return tx
    .selectFrom('link')
    .selectAll()
    .where('workspace_id', '=', keys.workspaceId)
    .where('company_id', '=', keys.companyId)
    .where('object', '=', keys.object)
    .where('key_hash', 'in', keys.keyHashes)
    .execute();
}

/** Notes, before a create is sent, that these keys are about to mean a record. */
export async function claimLinks(
  tx: Db,
  keys: LinkKeys,
  claim: { stepId: WriteStepId; now: Date },
): Promise<void> {
  await putLinks(tx, keys, {
    state: 'creating',
    pipedrive_id: null,
    step_id: claim.stepId,
    updated_at: claim.now,
  });
}

/** Says which record keys mean. A key that already means a living record keeps it. */
export async function setLinks(
  tx: Db,
  keys: LinkKeys,
  record: { pipedriveId: string; now: Date },
): Promise<void> {
  await putLinks(tx, keys, {
    state: 'linked',
    pipedrive_id: record.pipedriveId,
    step_id: null,
    updated_at: record.now,
  });
}

async function putLinks(
  tx: Db,
  { workspaceId, companyId, object, keyHashes }: LinkKeys,
  value: Pick<Link, 'state' | 'pipedrive_id' | 'step_id' | 'updated_at'>,
): Promise<void> {
  if (keyHashes.length === 0) return;
  await tx
    .insertInto('link')
    .values(
      // one order for everybody, so that two writers cannot wait for each other
      keyHashes.toSorted().map((key_hash) => ({
        workspace_id: workspaceId,
        company_id: companyId,
        object,
        key_hash,
        ...value,
      })),
    )
    .onConflict((conflict) =>
      conflict
        .columns(['workspace_id', 'company_id', 'object', 'key_hash'])
        .doUpdateSet(value)
        .where('link.state', '<>', 'linked'),
    )
    .execute();
}

/** Gives up the claims of a step whose create is known not to have happened. */
export async function removeClaims(tx: Db, stepId: WriteStepId): Promise<void> {
  await tx
    .deleteFrom('link')
    .where(ofThisWorkspace)
    .where('step_id', '=', stepId)
    .where('state', '=', 'creating')
    .execute();
}

export interface RecordRef {
  companyId: string;
  object: PipedriveObject;
  pipedriveId: string;
}

/** The record is no more; its keys are free to mean another. */
export async function setLinksGone(tx: Db, record: RecordRef, now: Date): Promise<void> {
  await tx
    .updateTable('link')
    .set({ state: 'gone', updated_at: now })
    .where(ofThisWorkspace)
    .where('company_id', '=', record.companyId)
    .where('object', '=', record.object)
    .where('pipedrive_id', '=', record.pipedriveId)
    .execute();
}

/** Keys of a record that lost a merge mean the survivor from now on. */
export async function moveLinks(
  tx: Db,
  record: RecordRef,
  survivor: { pipedriveId: string; now: Date },
): Promise<void> {
  await tx
    .updateTable('link')
    .set({ state: 'linked', pipedrive_id: survivor.pipedriveId, updated_at: survivor.now })
    .where(ofThisWorkspace)
    .where('company_id', '=', record.companyId)
    .where('object', '=', record.object)
    .where('pipedrive_id', '=', record.pipedriveId)
    .execute();
}
