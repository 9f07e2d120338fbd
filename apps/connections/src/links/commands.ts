import type {
  FieldValue,
  PipedriveObject,
  PipedriveRecord,
  WorkspaceId,
  WriteStepId,
} from '@manifold/contracts';
import { Refusal } from '@manifold/errors';
import type { Db, Tx } from '../store.ts';
import type { Vault } from '../vault/seal.ts';
import { openBody, openSent } from '../writes/body.ts';
import { listMadeByOthers, listOpenCreates, setEcho } from '../writes/echoes/store.ts';
import { noticeRecord } from '../writes/hashes/commands.ts';
import { isKnownByContent, isSent } from '../writes/identity/rules.ts';
import type { Step } from '../writes/store.ts';
import { noticeOverwrite } from '../writes/overwrites/noticing.ts';
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
  /** Values before a change, of the changed fields only. */
  previous?: Readonly<Record<string, FieldValue>> | null | undefined;
}

/**
 * Keeps our knowledge of records true to a change in Pipedrive: links follow merges and deletes, a
 * create of unknown end is recognised by the record it made, what a record holds is remembered, and
 * an update of ours that replaced what nobody here had seen is noted. Call it before `isOwnEcho`.
 */
export async function followRecordChange(
  tx: Tx,
  change: FollowedChange,
  deps: { vault: Vault; now: Date },
): Promise<void> {
  const { fields, updateTime } = change.record;
  const isGone = change.action === 'deleted' || change.action === 'merged';
  await noticeRecord(tx, { ...change, fields, updateTime, deleted: isGone }, deps);
  switch (change.action) {
    case 'deleted':
      return setLinksGone(tx, change, deps.now);
    case 'merged': {
      const survivor = change.mergedIntoPipedriveId;
      return survivor === undefined
        ? setLinksGone(tx, change, deps.now)
        : moveLinks(tx, change, { pipedriveId: survivor, now: deps.now });
    }
    case 'created':
      return recogniseCreate(tx, change, deps);
    case 'updated':
      return noticeOverwrite(tx, change, deps);
  }
}

async function recogniseCreate(
  tx: Db,
  change: FollowedChange,
  { vault, now }: { vault: Vault; now: Date },
): Promise<void> {
  const marks = Object.values(change.record.fields).filter((value) => typeof value === 'string');
  const made = (id: WriteStepId) => setEcho(tx, id, { pipedriveId: change.pipedriveId, now });
  const alike: Step[] = [];
  let after: WriteStepId | undefined;
  for (;;) {
    const steps = await listOpenCreates(tx, { ...change, marks }, { limit: PAGE, after });
    for (const step of steps) {
      // one with a mark was chosen by it
      const match = step.mark !== null ? 'sure' : matchOf(vault, step, change.record);
      if (match === 'sure') return made(step.id);
      if (match === 'alike') alike.push(step);
    }
    if (steps.length < PAGE) break;
    after = steps.at(-1)?.id;
  }
  // what is on its way now rather than what was sent before and may never have arrived
  const likeliest = alike.findLast(({ state }) => state === 'sending') ?? alike[0];
  if (likeliest === undefined) return;
  const others = await listMadeByOthers(tx, likeliest, [change.pipedriveId]);
  if (others.length === 0) await made(likeliest.id);
}

const PAGE = 200;

/** Not even a step that does not open holds up the deliveries of its company. */
function matchOf(vault: Vault, step: Step, record: PipedriveRecord): 'sure' | 'alike' | 'none' {
  try {
    const { identity, fields } = openBody(vault, step);
    const sent = openSent(vault, step)?.fields ?? fields;
    if (!isSent(record, { stepId: step.id, identity, fields: sent })) return 'none';
    return isKnownByContent(step.object, identity) ? 'alike' : 'sure';
  } catch (error) {
    // a key that is not here yet comes in a moment
    if (error instanceof Refusal) throw error;
    return 'none';
  }
}
