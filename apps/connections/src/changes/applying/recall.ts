import type { ChangeSetId } from '@manifold/contracts';
import type { Tx } from '../../store.ts';
import { changeIdleStep, removeTurns } from '../../writes/sending/store.ts';
import { lockRequest } from '../../writes/store.ts';
import { listRecallable, setResting } from './store.ts';

/** Takes back what was handed to the sender and has not been sent; what is on its way comes to its own end. */
export async function recallUnsent(tx: Tx, setId: ChangeSetId, now: Date): Promise<void> {
  for (const { requestId, stepIds } of await listRecallable(tx, setId)) {
    await lockRequest(tx, requestId);
    let taken = true;
    for (const id of stepIds) {
      const change = { state: 'planned' as const, not_before: now, reason: null };
      // whoever was about to send it finds that the step has gone
      if (await changeIdleStep(tx, id, change)) await removeTurns(tx, id);
      else taken = false;
    }
    if (taken) await setResting(tx, requestId);
  }
}
