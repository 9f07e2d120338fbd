import type { ConnectionId, WriteRequestId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import type { Origin } from '@manifold/messaging';
import { Refusal } from '@manifold/errors';
import type { Db, Tx } from '../store.ts';
import { askedBy } from './askers/rules.ts';
import { endCarried, lockJoined, returnCarried, withdraw } from './carried/commands.ts';
import { advance, publishStep } from './progress.ts';
import { changeIdleStep, changeStepInDoubt, removeTurns } from './sending/store.ts';
import {
  findRequestByKey,
  listOpenRequests,
  type OpenRequestsPage,
  listSteps,
  lockRequest,
  type Step,
  type WriteRequest,
} from './store.ts';
import { decideSupersede } from './superseding/rules.ts';
import { explainCancelled } from './waiting/rules.ts';

/** Stops what has not been sent; what is on its way comes to its own end. Undefined when there is none. */
export async function cancelRequest(
  db: Db,
  { asker, requestId }: { asker: Origin; requestId: WriteRequestId },
  now: Date,
): Promise<WriteRequest | undefined> {
  return withWorkspace(db, asker.workspaceId, async (tx) => {
    await cancelUnder(tx, [requestId], { asker, now, why: 'user' });
    return lockRequest(tx, requestId);
  });
}

interface Cancelling {
  asker: Origin;
  now: Date;
  why: 'user' | 'newer' | 'removal';
}

/** The same of several under the caller's transaction. */
export async function cancelUnder(
  tx: Tx,
  requestIds: readonly WriteRequestId[],
  cancelling: Cancelling,
): Promise<void> {
  await lockJoined(tx, requestIds);
  for (const id of requestIds) await cancelLocked(tx, id, cancelling);
}

async function cancelLocked(
  tx: Tx,
  requestId: WriteRequestId,
  { asker, now, why }: Cancelling,
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
    if (step.state === 'superseded') {
      if (why !== 'removal') await cancelHandedOver(tx, { request, step, change: idle, now });
      continue;
    }
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

/** Stops what another step was to write too, as long as that one was not sent. */
async function cancelHandedOver(
  tx: Tx,
  {
    request,
    step,
    change,
    now,
  }: { request: WriteRequest; step: Step; change: Partial<Step>; now: Date },
): Promise<void> {
  if (step.sealed_body === null || !(await withdraw(tx, step))) return;
  const end = { ...change, superseded_by: null };
  if (!(await changeIdleStep(tx, step.id, end, ['superseded']))) return;
  await publishStep(tx, { request, step: { ...step, ...end }, now });
}

/** Cancels what is left of an earlier request; throws, and so keeps it, where it cannot be replaced. */
export async function supersedeRequest(
  tx: Tx,
  idempotencyKey: string,
  { asker, now }: { asker: Origin; now: Date },
): Promise<void> {
  const earlier = await findRequestByKey(tx, idempotencyKey);
  if (!earlier) return;
  await cancelUnder(tx, [earlier.id], { asker, now, why: 'newer' });
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
  await cancelUnder(tx, ids, { asker, now, why: 'removal' });
  return ids.at(-1);
}
