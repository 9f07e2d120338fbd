import type { ChangeSetId, ConnectionId, WorkspaceId, WriteRequestId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import type { Db, Tx } from '../../store.ts';
import { changeIdleStep, removeTurns } from '../../writes/sending/store.ts';
import { listSteps, lockRequest, type Step } from '../../writes/store.ts';
import { lockSetsActing } from '../acting/store.ts';
import { type ChangeSet, lockChangeSet, setChangeSet } from '../store.ts';
import { listRecallable, setResting } from './store.ts';

/** Requests of one transaction, so that neither the sender nor whoever cancels one waits for long. */
const AT_ONCE = 25;
/** So long nothing more of a set is handed over while it is taken back. */
const HELD_OFF_MS = 5_000;

/**
 * Takes back what was handed to the sender and has not been sent, a few at a time: before a decision
 * that stops the set. Should that not be taken, the set goes on by itself.
 */
export async function recallInPages(
  { db, now }: { db: Db; now: () => Date },
  { workspace_id: workspaceId, id }: Pick<ChangeSet, 'workspace_id' | 'id'>,
): Promise<void> {
  let after: WriteRequestId | undefined;
  do {
    after = await withWorkspace(db, workspaceId, async (tx) => {
      const set = await lockChangeSet(tx, id);
      if (set?.state !== 'applying') return undefined;
      await setChangeSet(tx, id, { not_before: new Date(now().getTime() + HELD_OFF_MS) });
      const page = await listRecallable(tx, id, { after, limit: AT_ONCE });
      await recallEach(tx, page, now());
      return page.length < AT_ONCE ? undefined : page.at(-1);
    });
  } while (after !== undefined);
}

/** The same of all that is left, with the decision itself; what is on its way comes to its own end. */
export async function recallUnsent(tx: Tx, setId: ChangeSetId, now: Date): Promise<void> {
  await recallEach(tx, await listRecallable(tx, setId), now);
}

async function recallEach(tx: Tx, ids: readonly WriteRequestId[], now: Date): Promise<void> {
  for (const requestId of ids) {
    const steps = await lockUnsent(tx, requestId);
    if (steps.length === 0) continue;
    let taken = true;
    for (const { id } of steps) {
      const change = { state: 'planned' as const, not_before: now, reason: null };
      // whoever was about to send it finds that the step has gone
      if (await changeIdleStep(tx, id, change, ['queued'])) await removeTurns(tx, id);
      else taken = false;
    }
    if (taken) await setResting(tx, requestId);
  }
}

/** The same, a few at a time, of the sets in the name of somebody whose own connection is going to go. */
export async function recallActingInPages(
  deps: { db: Db; now: () => Date },
  { workspaceId, connectionId }: { workspaceId: WorkspaceId; connectionId: ConnectionId },
): Promise<void> {
  const ids = await withWorkspace(deps.db, workspaceId, (tx) => lockSetsActing(tx, connectionId));
  for (const id of ids) await recallInPages(deps, { workspace_id: workspaceId, id });
}

/**
 * Takes back what was to be sent in the name of somebody whose own connection goes: it is the set's,
 * and waits for another yes.
 */
export async function recallActing(tx: Tx, connectionId: ConnectionId, now: Date): Promise<void> {
  for (const setId of await lockSetsActing(tx, connectionId)) await recallUnsent(tx, setId, now);
}

/** Its queued steps, read again now that nobody can end one; none when something was sent or has ended. */
async function lockUnsent(tx: Tx, requestId: WriteRequestId): Promise<Step[]> {
  const request = await lockRequest(tx, requestId);
  if (request?.state !== 'pending' || request.released_at === null) return [];
  const steps = await listSteps(tx, [requestId]);
  const isUnsent = ({ state, sent_at }: Step) =>
    (state === 'planned' || state === 'queued') && sent_at === null;
  return steps.every(isUnsent) ? steps.filter(({ state }) => state === 'queued') : [];
}
