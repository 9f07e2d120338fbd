import type { ChangeSetId, ConnectionId, WriteRequestId } from '@manifold/contracts';
import type { Tx } from '../../store.ts';
import { changeIdleStep, removeTurns } from '../../writes/sending/store.ts';
import { listSteps, lockRequest, type Step } from '../../writes/store.ts';
import { lockSetsActing } from '../acting/store.ts';
import { listRecallable, setResting } from './store.ts';

/** Takes back what was handed to the sender and has not been sent; what is on its way comes to its own end. */
export async function recallUnsent(tx: Tx, setId: ChangeSetId, now: Date): Promise<void> {
  for (const requestId of await listRecallable(tx, setId)) {
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
