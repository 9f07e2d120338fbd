import type { PipedriveObject, PipedriveRecord, WorkspaceId } from '@manifold/contracts';
import type { Db } from '../store.ts';
import type { Vault } from '../vault/seal.ts';
import { openBody, openSent } from '../writes/body.ts';
import { isSent } from '../writes/identity/rules.ts';
import { listOpenCreates, setEcho } from '../writes/sending/store.ts';
import { moveLinks, setLinksGone } from './store.ts';

/** A change of a record as Pipedrive's webhook told it. */
export interface FollowedChange {
  workspaceId: WorkspaceId;
  companyId: string;
  object: PipedriveObject;
  pipedriveId: string;
  action: 'created' | 'updated' | 'deleted' | 'merged';
  /** Survivor of a merge. */
  mergedIntoPipedriveId?: string | undefined;
  /** The record after the change. */
  record: PipedriveRecord;
}

/**
 * Keeps our knowledge of records true to a change in Pipedrive: links follow merges and deletes, and
 * a create of unknown end is recognised by the record it made. Call it before `isOwnEcho`.
 */
export async function followRecordChange(
  tx: Db,
  change: FollowedChange,
  { vault, now }: { vault: Vault; now: Date },
): Promise<void> {
  switch (change.action) {
    case 'deleted':
      return setLinksGone(tx, change, now);
    case 'merged': {
      const survivor = change.mergedIntoPipedriveId;
      return survivor === undefined
        ? setLinksGone(tx, change, now)
        : moveLinks(tx, change, { pipedriveId: survivor, now });
    }
    case 'created':
      return recogniseCreate(tx, change, { vault, now });
    case 'updated':
  }
}

async function recogniseCreate(
  tx: Db,
  change: FollowedChange,
  { vault, now }: { vault: Vault; now: Date },
): Promise<void> {
  for (const step of await listOpenCreates(tx, change)) {
    const { identity, fields } = openBody(vault, step);
    const sent = { stepId: step.id, identity, fields: openSent(vault, step)?.fields ?? fields };
    if (!isSent(change.record, sent)) continue;
    await setEcho(tx, step.id, { pipedriveId: change.pipedriveId, now });
    return;
  }
}
