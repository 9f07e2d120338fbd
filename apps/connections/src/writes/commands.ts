import { type ConnectionId, type WriteRequestId, WriteStepId } from '@manifold/contracts';
import { createOnce, withWorkspace } from '@manifold/database';
import type { Origin } from '@manifold/messaging';
import { Refusal } from '@manifold/errors';
import type { Db, Tx } from '../store.ts';
import { endCarried, returnCarried } from './carried.ts';
import { advance, publishRedriven, publishStep, queueStep } from './progress.ts';
import { decideRedrive } from './rules.ts';
import { changeIdleStep, changeStepInDoubt, removeTurns } from './sending/store.ts';
import {
  findRequestByKey,
  findStep,
  listOpenRequests,
  type OpenRequestsPage,
  listSteps,
  lockRequest,
  setRequestState,
  type Step,
  type WriteRequest,
} from './store.ts';
import { countSteps, listParkedSteps, type StepFilter } from './steps/store.ts';
import { decideSupersede } from './superseding/rules.ts';
import { explainCancelled } from './waiting/rules.ts';

/** Sends a parked step again; one that is not parked stays as it is. Undefined when there is none. */
export async function redriveStep(
  db: Db,
  asked: { asker: Origin; stepId: WriteStepId; idempotencyKey: string | undefined },
  now: Date,
): Promise<Step | undefined> {
  const { asker, stepId, idempotencyKey: key } = asked;
  const { workspaceId } = asker;
  return withWorkspace(db, workspaceId, async (tx) => {
    const step = await findStep(tx, stepId);
    if (!step) return undefined;
    const call = { workspaceId, operation: 'redrive', key, input: { stepId }, now };
    await createOnce(tx, { ...call, parseId: (id) => WriteStepId.parse(id) }, async () => {
      await redriveUnder(tx, step, { asker, now });
      return stepId;
    });
    return findStep(tx, stepId);
  });
}

async function redriveUnder(
  tx: Tx,
  named: Step,
  { asker, now }: { asker: Origin; now: Date },
): Promise<void> {
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
  await publishRedriven(tx, { request: askedBy(request, asker), step, now });
}

const MOST_REDRIVEN = 500;
const REDRIVEN_AT_ONCE = 50;

/** Sends parked steps again, a bounded number; says how many more there are. */
export async function redriveMany(
  db: Db,
  { asker, filter }: { asker: Origin; filter: StepFilter },
  now: Date,
): Promise<{ redriven: number; remaining: number }> {
  let redriven = 0;
  while (redriven < MOST_REDRIVEN) {
    const count = await withWorkspace(db, asker.workspaceId, async (tx) => {
      const steps = await listParkedSteps(tx, filter, REDRIVEN_AT_ONCE);
      for (const step of steps) await redriveUnder(tx, step, { asker, now });
      return steps.length;
    });
    redriven += count;
    if (count < REDRIVEN_AT_ONCE) break;
  }
  const remaining = await withWorkspace(db, asker.workspaceId, (tx) =>
    countSteps(tx, { ...filter, states: ['parked'] }),
  );
  return { redriven, remaining };
}

/** Stops what has not been sent; what is on its way comes to its own end. Undefined when there is none. */
export async function cancelRequest(
  db: Db,
  { asker, requestId }: { asker: Origin; requestId: WriteRequestId },
  now: Date,
): Promise<WriteRequest | undefined> {
  return withWorkspace(db, asker.workspaceId, async (tx) => {
    await cancelUnder(tx, requestId, { asker, now, why: 'user' });
    return lockRequest(tx, requestId);
  });
}

/** The same under the caller's transaction. */
export async function cancelUnder(
  tx: Tx,
  requestId: WriteRequestId,
  { asker, now, why }: { asker: Origin; now: Date; why: 'user' | 'newer' | 'removal' },
): Promise<void> {
  const found = await lockRequest(tx, requestId);
  if (!found) return;
  const request = askedBy(found, asker);
  const cancelled = {
    state: 'cancelled',
    effect: 'none',
    sealed_body: null,
    sealed_sent: null,
    settled_at: now,
  } as const;
  const idle = { ...cancelled, ...explainCancelled(why) };
  const inDoubt = { ...cancelled, ...explainCancelled('doubt') };
  for (const step of await listSteps(tx, [requestId])) {
    const change = (await changeIdleStep(tx, step.id, idle))
      ? idle
      : why === 'removal' && (await changeStepInDoubt(tx, step.id, inDoubt))
        ? inDoubt
        : undefined;
    if (change === undefined) continue;
    await (why === 'removal' ? endCarried(tx, step) : returnCarried(tx, step, now));
    await removeTurns(tx, step.id);
    await publishStep(tx, { request, step: { ...step, ...change }, now });
  }
  await advance(tx, request, now);
}

/** Cancels what is left of an earlier request; throws, and so keeps it, where it cannot be replaced. */
export async function supersedeRequest(
  tx: Tx,
  idempotencyKey: string,
  { asker, now }: { asker: Origin; now: Date },
): Promise<void> {
  const earlier = await findRequestByKey(tx, idempotencyKey);
  if (!earlier) return;
  await cancelUnder(tx, earlier.id, { asker, now, why: 'newer' });
  const decision = decideSupersede(await listSteps(tx, [earlier.id]));
  if (decision.outcome === 'go') return;
  const { kind, reason, because, fix } = decision;
  const message = `Write request ${earlier.id} keeps its place: ${because}`;
  throw new Refusal(kind, message, { reason, field: 'supersedes', fix });
}

/**
 * Stops everything that waits for a connection which is about to be removed. What was sent and is in
 * doubt ends too: nobody can look for it any more, and its keys must be free for the next connection.
 * Returns the last it looked at.
 */
export async function cancelRequestsOf(
  tx: Tx,
  connectionId: ConnectionId,
  { asker, now, page }: { asker: Origin; now: Date; page?: OpenRequestsPage },
): Promise<WriteRequestId | undefined> {
  const ids = await listOpenRequests(tx, connectionId, page);
  for (const id of ids) await cancelUnder(tx, id, { asker, now, why: 'removal' });
  return ids.at(-1);
}

/** The request with somebody else behind what happens to it now, for the events that tell of it. */
const askedBy = (request: WriteRequest, { actor, correlationId }: Origin): WriteRequest => ({
  ...request,
  actor_kind: actor.kind,
  actor_id: actor.id,
  correlation_id: correlationId,
});
