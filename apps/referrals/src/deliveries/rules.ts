import type { ReasonCode, StepSettled, WriteRequestSettled } from '@manifold/contracts';
import type { z } from 'zod';
import type { ReferralUser } from '../store.ts';

type StepOutcome = z.output<(typeof StepSettled)['envelope']>['payload'];
type RequestOutcome = z.output<(typeof WriteRequestSettled)['envelope']>['payload'];

/** How far a delivery is, as columns of its user. */
export type Delivery = Pick<
  ReferralUser,
  | 'delivery_state'
  | 'delivery_reason'
  | 'delivery_fix'
  | 'write_request_id'
  | 'person_pipedrive_id'
  | 'person_url'
  | 'lead_pipedrive_id'
  | 'lead_url'
>;

/** What a settled step says of a delivery; the whole is known when the request settles. */
export function applyStep(before: Delivery, step: StepOutcome): Delivery {
  const known = {
    ...before,
    ...recordOf(before, step),
    write_request_id: step.writeRequestId,
  };
  switch (step.outcome) {
    case 'parked':
      return parked(known, step.reason);
    case 'skipped':
    case 'cancelled':
      // the first step that was not done explains those after it
      return { ...known, delivery_reason: known.delivery_reason ?? step.reason ?? null };
    case 'applied':
    case 'no_change':
    case 'superseded':
      return known.delivery_state === 'PARKED'
        ? { ...known, delivery_state: 'QUEUED', delivery_reason: null, delivery_fix: null }
        : known;
  }
}

function recordOf(
  before: Delivery,
  { object, pipedriveId, pipedriveUrl }: StepOutcome,
): Partial<Delivery> {
  if (pipedriveId === undefined) return {};
  if (object === 'person') {
    return { person_pipedrive_id: pipedriveId, person_url: pipedriveUrl ?? before.person_url };
  }
  if (object === 'lead') {
    return { lead_pipedrive_id: pipedriveId, lead_url: pipedriveUrl ?? before.lead_url };
  }
  return {};
}

/** How a delivery ended, once every step of its request has. */
export function applyRequest(before: Delivery, request: RequestOutcome): Delivery {
  const known = { ...before, write_request_id: request.writeRequestId };
  switch (request.outcome) {
    case 'succeeded':
      return { ...known, delivery_state: 'DELIVERED', delivery_reason: null, delivery_fix: null };
    case 'skipped':
      return {
        ...known,
        delivery_state: 'SKIPPED',
        delivery_reason: known.delivery_reason ?? request.reason ?? null,
        delivery_fix: null,
      };
    case 'cancelled':
      return {
        ...known,
        delivery_state: 'SKIPPED',
        delivery_reason: request.reason ?? 'cancelled_by_user',
        delivery_fix: null,
      };
    case 'parked':
      return parked(known, request.reason ?? known.delivery_reason ?? undefined);
  }
}

const parked = (known: Delivery, reason: ReasonCode | undefined): Delivery => ({
  ...known,
  delivery_state: 'PARKED',
  delivery_reason: reason ?? null,
  delivery_fix: fixOf(reason),
});

const fixes: Partial<Record<ReasonCode, string>> = {
  several_matches: 'Merge the persons with this e-mail in Pipedrive',
  outcome_unknown: 'Look in Pipedrive whether the record is there',
  scope_missing: 'Give the app the missing scope and connect again',
  connection_needs_reauth: 'Connect Pipedrive again',
  token_rejected: 'Connect Pipedrive again',
};

/** The way out of a parked delivery, as one sentence. */
export const fixOf = (reason: ReasonCode | undefined): string =>
  `${(reason && fixes[reason]) ?? 'See the cause at the write request'}, then redrive its parked step.`;

const MAX_FIX = 500;

/** The way out of a refused delivery, as the refusing service put it. */
export const fixOfRefused = (fix: string | undefined): string =>
  `${(fix ?? 'Put right what was refused.').slice(0, MAX_FIX)} Then use retryDelivery.`;

/** Whether a delivery came to an end it was not at before. */
export const hasSettled = (before: Delivery, after: Delivery): boolean =>
  after.delivery_state !== 'QUEUED' && after.delivery_state !== before.delivery_state;

/** What asking for another try does. */
export type RetryDecision =
  | { outcome: 'nothing_to_do' }
  | { outcome: 'send' }
  | { outcome: 'refuse'; because: string; fix: string };

/** Only what connections never took is sent again from here; what it took is redriven there. */
export function decideRetry(
  user: Pick<ReferralUser, 'delivery_state' | 'write_request_id'>,
): RetryDecision {
  if (user.delivery_state !== 'PARKED') return { outcome: 'nothing_to_do' };
  if (user.write_request_id === null) return { outcome: 'send' };
  return {
    outcome: 'refuse',
    because: `it is parked in write request ${user.write_request_id}`,
    fix: 'Use the mutation redrive with the parked step of that write request.',
  };
}
