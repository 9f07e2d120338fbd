import type { WriteRequestId } from '@manifold/contracts';
import type { Tx } from '../../store.ts';
import { publishRedriven } from '../progress.ts';
import { changeIdleStep, liftLanes } from '../sending/store.ts';
import { insertTurns, lockLinesOf, moveTurns } from '../sending/turns/store.ts';
import { findStep, lockRequest, setRequestState, type Step } from '../store.ts';
import {
  goBackToSavepoint,
  listCarried,
  listJoined,
  lockRequests,
  lockSteps,
  moveCarried,
  setSavepoint,
} from './store.ts';

/**
 * Locks requests with all that is joined with them: requests, then lines, then steps, each in one
 * order, so that two who stop or end joined writes at once never wait for each other.
 */
export async function lockJoined(tx: Tx, requestIds: readonly WriteRequestId[]): Promise<void> {
  if (requestIds.length === 0) return;
  await setSavepoint(tx);
  let joined = await listJoined(tx, requestIds);
  for (;;) {
    const ids = joined.map(({ id }) => id);
    await lockRequests(tx, [...requestIds, ...joined.map((step) => step.write_request_id)]);
    await lockLinesOf(tx, joined.filter(isHandedOver));
    await lockSteps(tx, ids);
    joined = await listJoined(tx, requestIds);
    if (joined.map(({ id }) => id).join() === ids.join()) return;
    // one was handed over meanwhile: it may come before those that are locked already
    await goBackToSavepoint(tx);
  }
}

/** Given back, it takes a place in its lines. */
const isHandedOver = (step: Step): boolean => step.state === 'superseded';

/** What a step carried for others was written with it: they are done with for good. */
export async function endCarried(tx: Tx, carrier: Pick<Step, 'id'>): Promise<void> {
  for (const step of await listCarried(tx, carrier.id)) {
    await changeIdleStep(tx, step.id, { sealed_body: null }, ['superseded']);
    await endCarried(tx, step);
  }
}

/** Whoever handed over to a step that will not be sent takes its place in line, and goes on alone. */
export async function returnCarried(tx: Tx, carrier: Pick<Step, 'id'>, now: Date): Promise<void> {
  for (const step of await listCarried(tx, carrier.id)) {
    const request = await lockRequest(tx, step.write_request_id);
    const change = {
      state: 'queued',
      not_before: now,
      attempts: 0,
      superseded_by: null,
      effect: null,
      reason: null,
      settled_at: null,
    } as const;
    if (!request || !(await changeIdleStep(tx, step.id, change, ['superseded']))) continue;
    if (!(await moveTurns(tx, { from: carrier.id, to: step.id }))) await insertTurns(tx, [step]);
    if (step.lane === 'interactive') await liftLanes(tx, step, now);
    await setRequestState(tx, request.id, { state: 'pending', reason: null, settled_at: null });
    await publishRedriven(tx, { request, step, now });
  }
}

/**
 * Takes what a step handed over out of the one that is to write it, and leaves what it carried itself.
 * False: that one was sent, or may have been, or has ended.
 */
export async function withdraw(tx: Tx, step: Pick<Step, 'id' | 'superseded_by'>): Promise<boolean> {
  let carrierId = step.superseded_by;
  while (carrierId !== null) {
    // whoever is about to send it finds that it has gone, and looks at it anew
    const isIdle = await changeIdleStep(tx, carrierId, {});
    const carrier: Step | undefined = await findStep(tx, carrierId);
    if (isIdle && carrier?.sent_at === null) break;
    if (carrier?.state !== 'superseded') return false;
    carrierId = carrier.superseded_by;
  }
  if (carrierId === null || step.superseded_by === null) return false;
  await moveCarried(tx, { from: step.id, to: step.superseded_by });
  return true;
}
