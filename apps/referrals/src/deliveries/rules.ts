import type {
  ReasonCode,
  ReferralUserId,
  StepSettled,
  WriteRequestSettled,
} from '@manifold/contracts';
import type { z } from 'zod';
import type { ReferralUser } from '../store.ts';
import { fixOf, fixOfRefused } from './fixes/rules.ts';

type StepOutcome = z.output<(typeof StepSettled)['envelope']>['payload'];
type RequestOutcome = z.output<(typeof WriteRequestSettled)['envelope']>['payload'];

/** How far a delivery is, as columns of its user. */
export type Delivery = Pick<
  ReferralUser,
  | 'delivery_state'
  | 'delivery_reason'
  | 'delivery_fix'
  | 'write_request_id'
  | 'delivery_attempt'
  | 'delivery_written'
  | 'delivery_cancelled'
  | 'superseded_request_id'
  | 'person_pipedrive_id'
  | 'person_url'
  | 'lead_pipedrive_id'
  | 'lead_url'
>;

/** What a settled step says of a delivery; the whole is known when the request settles. */
export function applyStep(before: Delivery, step: StepOutcome): Delivery {
  const isWritten = ['applied', 'no_change', 'superseded', 'unknown'].includes(step.outcome);
  // of a request that was replaced only what keeps it from being replaced still counts
  if (!isWritten && before.superseded_request_id === step.writeRequestId) return before;
  const known = {
    ...before,
    ...recordOf(before, step),
    write_request_id: step.writeRequestId,
    delivery_written: before.delivery_written || isWritten,
  };
  switch (step.outcome) {
    case 'parked':
      return parked(known, step.reason);
    case 'unknown':
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
  if (request.outcome !== 'succeeded' && before.superseded_request_id === request.writeRequestId) {
    return before;
  }
  const known = {
    ...before,
    write_request_id: request.writeRequestId,
    delivery_cancelled: request.outcome === 'cancelled',
  };
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
        delivery_fix: known.delivery_written ? null : 'To send it after all, use retryDelivery.',
      };
    case 'parked':
    case 'unknown':
      return parked(known, request.reason ?? known.delivery_reason ?? 'unknown_reason');
  }
}

const parked = (known: Delivery, reason: ReasonCode | undefined): Delivery => ({
  ...known,
  delivery_state: 'PARKED',
  delivery_reason: reason ?? null,
  delivery_fix: fixOf(reason, known.delivery_written),
});

/** Whether a delivery came to an end it was not at before. */
export const hasSettled = (before: Delivery, after: Delivery): boolean =>
  after.delivery_state !== 'QUEUED' && after.delivery_state !== before.delivery_state;

/** What asking for another try does. */
export type RetryDecision =
  | { outcome: 'nothing_to_do' }
  | { outcome: 'send' }
  | { outcome: 'refuse'; because: string; fix: string };

/**
 * What nothing was written of is sent anew, with the mapping and settings of today; the rest can only
 * go on where it stands.
 */
export function decideRetry(
  user: Pick<
    ReferralUser,
    | 'delivery_state'
    | 'delivery_reason'
    | 'delivery_written'
    | 'delivery_cancelled'
    | 'write_request_id'
  >,
): RetryDecision {
  const { write_request_id: request } = user;
  const isCancelled = user.delivery_state === 'SKIPPED' && user.delivery_cancelled;
  if (user.delivery_state !== 'PARKED' && !isCancelled) return { outcome: 'nothing_to_do' };
  if (request === null) return { outcome: 'send' };
  const isInDoubt = user.delivery_reason === 'outcome_unknown';
  if (!user.delivery_written && !isInDoubt) return { outcome: 'send' };
  const what = isInDoubt ? 'Pipedrive may hold a record' : 'a part is in Pipedrive';
  return {
    outcome: 'refuse',
    because: `${what} of write request ${request}`,
    fix: isCancelled
      ? 'Look in Pipedrive what is there, and add by hand what is missing.'
      : 'Use the mutation redrive with the parked step of that write request.',
  };
}

/** An attempt as connections knows it. */
export const keyOfAttempt = (id: ReferralUserId, attempt: number): string =>
  attempt === 1 ? id : `${id}#${attempt}`;

/** The attempt to send next; one that connections took is replaced, any other is sent again. */
export function attemptOf(user: ReferralUser) {
  if (user.write_request_id === null) {
    const { delivery_attempt, superseded_request_id } = user;
    return { delivery_attempt, superseded_request_id };
  }
  return {
    delivery_attempt: user.delivery_attempt + 1,
    superseded_request_id: user.write_request_id,
    write_request_id: null,
    delivery_cancelled: false,
    person_pipedrive_id: null,
    person_url: null,
    lead_pipedrive_id: null,
    lead_url: null,
  };
}

/** An attempt that connections refused for good; the request it would have replaced counts again. */
export function takeBack(
  before: Delivery,
  refused: { reason: ReasonCode; fix: string | undefined },
): Delivery {
  const { superseded_request_id: replaced } = before;
  const known = {
    ...before,
    ...(replaced === null
      ? {}
      : {
          delivery_attempt: before.delivery_attempt - 1,
          write_request_id: replaced,
          superseded_request_id: null,
        }),
  };
  // the request to be replaced came to its end in the meantime
  if (before.delivery_state === 'DELIVERED') return known;
  return {
    ...known,
    delivery_written: before.delivery_written || refused.reason === 'already_written',
    delivery_state: 'PARKED',
    delivery_reason: refused.reason,
    delivery_fix: fixOfRefused(refused.reason, refused.fix),
  };
}
