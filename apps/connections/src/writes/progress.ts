import { StepRedriven, StepSettled, WriteRequestSettled } from '@manifold/contracts';
import { publish } from '@manifold/messaging';
import { z } from 'zod';
import type { Tx } from '../store.ts';
import { originOf } from './askers/rules.ts';
import { decideGuard, decideRequest } from './rules.ts';
import { changeIdleStep, changeIdleSteps, liftLanes } from './sending/store.ts';
import { insertTurns } from './sending/turns/store.ts';
import { listSteps, setRequestState, type Step, type WriteRequest } from './store.ts';

const referencesShape = z.record(z.string(), z.string());

/** Field code → name of the earlier step whose record it points at. */
export const referencesOf = (step: Pick<Step, 'refers_to'>): Record<string, string> =>
  referencesShape.parse(JSON.parse(step.refers_to));

/**
 * Moves a request on as far as it goes: puts the next step in line, skips what its guard rules out,
 * and settles the request when nothing of it moves any more. The request must be locked.
 */
export async function advance(tx: Tx, request: WriteRequest, now: Date): Promise<void> {
  await advanceFrom(tx, request, { steps: await listSteps(tx, [request.id]), now });
}

/** The same for one who has just read its steps. */
export async function advanceFrom(
  tx: Tx,
  request: WriteRequest,
  { steps: current, now }: { steps: readonly Step[]; now: Date },
): Promise<void> {
  const steps = [...current];
  for (const [index, step] of steps.entries()) {
    if (['queued', 'sending', 'unknown'].includes(step.state)) break;
    if (step.state !== 'planned') continue;
    const names = new Set(Object.values(referencesOf(step)));
    const referenced = steps.filter(({ name }) => names.has(name));
    const decision = decideGuard(step, { previous: steps[index - 1], referenced });
    if (decision === 'wait') continue;
    if (decision === 'go') {
      steps[index] = await queueStep(tx, step, now);
      break;
    }
    steps[index] = await skipStep(tx, { request, step, now });
  }
  await settleRequest(tx, { request, steps, now });
}

/** Puts a step that rests at the end of its lines, to be sent as soon as its turn comes. */
export async function queueStep(tx: Tx, step: Step, now: Date): Promise<Step> {
  await queueSteps(tx, [step], now);
  return { ...step, state: 'queued', not_before: now };
}

/** The same of steps of one company, in this order. */
export async function queueSteps(tx: Tx, steps: readonly Step[], now: Date): Promise<void> {
  if (steps.length === 0) return;
  // lines before rows, as wherever both are locked
  await insertTurns(tx, steps);
  await changeIdleSteps(
    tx,
    steps.map(({ id }) => id),
    { state: 'queued', not_before: now },
  );
  for (const step of steps) if (step.lane === 'interactive') await liftLanes(tx, step, now);
}

/** Whether nothing has to be known of other steps before this one is put in line. */
export const isFirst = (step: Step): boolean =>
  step.state === 'planned' && step.position === 0 && Object.keys(referencesOf(step)).length === 0;

async function skipStep(
  tx: Tx,
  { request, step, now }: { request: WriteRequest; step: Step; now: Date },
): Promise<Step> {
  const change = {
    state: 'skipped',
    reason: 'previous_step_not_applied',
    effect: 'none',
    sealed_body: null,
    settled_at: now,
  } as const;
  await changeIdleStep(tx, step.id, change);
  const skipped = { ...step, ...change };
  await publishStep(tx, { request, step: skipped, now });
  return skipped;
}

async function settleRequest(
  tx: Tx,
  { request, steps, now }: { request: WriteRequest; steps: readonly Step[]; now: Date },
): Promise<void> {
  const end = decideRequest(steps);
  if (end === undefined || (end.state === request.state && end.reason === request.reason)) return;
  await setRequestState(tx, request.id, { ...end, settled_at: now });
  await publish(tx, WriteRequestSettled, {
    origin: originOf(request),
    key: request.id,
    payload: {
      connectionId: request.connection_id,
      writeRequestId: request.id,
      cause: causeOf(request),
      outcome: end.state,
      costTokens: steps.reduce((sum, { cost_tokens }) => sum + cost_tokens, 0),
      ...(end.reason === null ? {} : { reason: end.reason }),
    },
    now,
  });
}

/** Says how a step ended, or that it is parked. */
export async function publishStep(
  tx: Tx,
  { request, step, now }: { request: WriteRequest; step: Step; now: Date },
): Promise<void> {
  const outcome = z
    .enum(['applied', 'no_change', 'superseded', 'skipped', 'parked', 'cancelled'])
    .parse(step.state);
  await publish(tx, StepSettled, {
    origin: originOf(request),
    key: request.id,
    payload: {
      connectionId: step.connection_id,
      writeRequestId: request.id,
      stepId: step.id,
      stepName: step.name,
      cause: causeOf(request),
      object: step.object,
      operation: step.effect ?? 'none',
      outcome,
      costTokens: step.cost_tokens,
      changedKeys: step.changed_keys,
      ...(step.reason === null ? {} : { reason: step.reason }),
      ...(step.pipedrive_id === null ? {} : { pipedriveId: step.pipedrive_id }),
      ...(step.pipedrive_url === null ? {} : { pipedriveUrl: step.pipedrive_url }),
    },
    now,
  });
}

/** Says that a parked step is sent again; the request's actor is who asked for that. */
export const publishRedriven = (
  tx: Tx,
  { request, step, now }: { request: WriteRequest; step: Step; now: Date },
): Promise<void> =>
  publish(tx, StepRedriven, {
    origin: originOf(request),
    key: request.id,
    payload: {
      connectionId: step.connection_id,
      writeRequestId: request.id,
      stepId: step.id,
      stepName: step.name,
      cause: causeOf(request),
      ...(step.reason === null ? {} : { reason: step.reason }),
    },
    now,
  });

const causeOf = (request: WriteRequest) => ({
  service: request.cause_service,
  type: request.cause_type,
  id: request.cause_id,
});
