import {
  type ConnectionId,
  type WorkspaceId,
  type WriteRequestId,
  WriteStepId,
} from '@manifold/contracts';
import { createOnce, withWorkspace } from '@manifold/database';
import type { Db, Tx } from '../store.ts';
import { advance, publishStep, queueStep } from './progress.ts';
import { decideRedrive } from './rules.ts';
import { changeIdleStep, changeStepInDoubt, removeTurns } from './sending/store.ts';
import {
  findStep,
  listOpenRequests,
  listSteps,
  lockRequest,
  setRequestState,
  type Step,
  type WriteRequest,
} from './store.ts';

/** Sends a parked step again; one that is not parked stays as it is. Undefined when there is none. */
export async function redriveStep(
  db: Db,
  asked: { workspaceId: WorkspaceId; stepId: WriteStepId; idempotencyKey: string | undefined },
  now: Date,
): Promise<Step | undefined> {
  const { workspaceId, stepId, idempotencyKey: key } = asked;
  return withWorkspace(db, workspaceId, async (tx) => {
    const step = await findStep(tx, stepId);
    if (!step) return undefined;
    const call = { workspaceId, operation: 'redrive', key, input: { stepId }, now };
    await createOnce(tx, { ...call, parseId: (id) => WriteStepId.parse(id) }, async () => {
      await redriveUnder(tx, step, now);
      return stepId;
    });
    return findStep(tx, stepId);
  });
}

async function redriveUnder(tx: Tx, named: Step, now: Date): Promise<void> {
  const request = await lockRequest(tx, named.write_request_id);
  const step = await findStep(tx, named.id);
  if (!request || step?.state !== 'parked') return;
  await queueStep(tx, step, now);
  await changeIdleStep(tx, step.id, {
    ...decideRedrive(step, now),
    attempts: 0,
    reason: null,
    cause: null,
    fix: null,
    candidates: [],
    settled_at: null,
  });
  await setRequestState(tx, request.id, { state: 'pending', reason: null, settled_at: null });
}

/** Stops what has not been sent; what is on its way comes to its own end. Undefined when there is none. */
export async function cancelRequest(
  db: Db,
  { workspaceId, requestId }: { workspaceId: WorkspaceId; requestId: WriteRequestId },
  now: Date,
): Promise<WriteRequest | undefined> {
  return withWorkspace(db, workspaceId, async (tx) => {
    await cancelUnder(tx, requestId, { now, inDoubtToo: false });
    return lockRequest(tx, requestId);
  });
}

async function cancelUnder(
  tx: Tx,
  requestId: WriteRequestId,
  { now, inDoubtToo }: { now: Date; inDoubtToo: boolean },
): Promise<void> {
  const request = await lockRequest(tx, requestId);
  if (!request) return;
  const cancelled = {
    state: 'cancelled',
    effect: 'none',
    cause: null,
    fix: null,
    sealed_body: null,
    sealed_sent: null,
    settled_at: now,
  } as const;
  const idle = { ...cancelled, reason: 'cancelled_by_user' } as const;
  const inDoubt = { ...cancelled, reason: 'outcome_unknown' } as const;
  for (const step of await listSteps(tx, [requestId])) {
    const change = (await changeIdleStep(tx, step.id, idle))
      ? idle
      : inDoubtToo && (await changeStepInDoubt(tx, step.id, inDoubt))
        ? inDoubt
        : undefined;
    if (change === undefined) continue;
    await removeTurns(tx, step.id);
    await publishStep(tx, { request, step: { ...step, ...change }, now });
  }
  await advance(tx, request, now);
}

/**
 * Stops everything that waits for a connection which is about to be removed. What was sent and is in
 * doubt ends too: nobody can look for it any more, and its keys must be free for the next connection.
 */
export async function cancelRequestsOf(
  tx: Tx,
  connectionId: ConnectionId,
  now: Date,
): Promise<void> {
  for (const id of await listOpenRequests(tx, connectionId)) {
    await cancelUnder(tx, id, { now, inDoubtToo: true });
  }
}
