import type { IdentityKey, PipedriveRecord, ReasonCode } from '@manifold/contracts';
import type { Failure } from '@manifold/pipedrive';
import type { StepEffect } from '../tables.ts';

/** What becomes of a step after a call that did not bring what it was made for. */
export type FailureDecision =
  /** Nothing was done: again at that time. */
  | { decision: 'again'; delayMs: number; reason: ReasonCode; counts: boolean }
  /** A definite no: kept for a person. */
  | { decision: 'park'; reason: ReasonCode; cause: string; fix: string }
  /** It may have been done, now or later. */
  | { decision: 'settle' }
  /** The record of an update is no more. */
  | { decision: 'gone' };

const RETRY_DELAYS_MS = [500, 1_000, 2_000, 5_000, 15_000, 60_000];
const BLOCKED_DELAY_MS = 60_000;
const SCOPE_FIX =
  'Add the scope to the app in the Developer Hub and connect again, then use redrive.';

/** Growing pauses after attempts that brought no answer; the last one repeats. */
export const retryDelayMs = (attempts: number): number =>
  RETRY_DELAYS_MS[Math.min(attempts, RETRY_DELAYS_MS.length - 1)] ?? 0;

/** What a failed call means for the step that needed it. */
export function decideFailure(
  failure: Failure,
  step: { attempts: number; isWriteOf: StepEffect | undefined },
): FailureDecision {
  const again = (reason: ReasonCode, delayMs: number, counts = false) =>
    ({ decision: 'again', delayMs, reason, counts }) as const;
  switch (failure.outcome) {
    case 'refused':
      if (step.isWriteOf !== undefined && step.isWriteOf !== 'created' && isAbsent(failure)) {
        return { decision: 'gone' };
      }
      return parkRefusal(failure);
    case 'unauthorized':
      // the connection turns to needing a new grant; the queue waits for that
      return again('connection_needs_reauth', 1_000);
    case 'limited':
      return again(
        failure.kind === 'daily' ? 'budget_spent' : 'burst_limited',
        Math.max(50, failure.retryAfterMs),
      );
    case 'blocked':
      return again('pipedrive_blocked', BLOCKED_DELAY_MS);
    case 'scope_missing':
      return {
        decision: 'park',
        reason: 'scope_missing',
        cause: 'The connected app lacks a permission this write needs.',
        fix: SCOPE_FIX,
      };
    case 'not_sent':
    case 'unavailable':
      return again('pipedrive_unreachable', retryDelayMs(step.attempts), true);
    case 'unknown':
      return { decision: 'settle' };
  }
}

type Refused = Extract<Failure, { outcome: 'refused' }>;

/** 404 for a record that is gone or out of sight, 410 for one that is purged. */
export const isAbsent = (failure: Failure): boolean =>
  failure.outcome === 'refused' && (failure.status === 404 || failure.status === 410);

function parkRefusal(failure: Refused): FailureDecision {
  const field = failure.fieldCode === undefined ? '' : ` Field: ${failure.fieldCode}.`;
  return {
    decision: 'park',
    reason: 'pipedrive_refused',
    cause: `Pipedrive answered ${failure.status}: ${failure.message}${field}`.slice(0, 500),
    fix:
      failure.fieldCode === undefined
        ? 'Correct what Pipedrive names, there or in the mapping, then use redrive.'
        : 'Check the field in Pipedrive and in the mapping, then use redrive.',
  };
}

/** Clocks differ, and Pipedrive counts in whole seconds. */
const CLOCK_MARGIN_MS = 30_000;

/** From when to list records when looking for one that a create may have made. */
export const listedSince = (sentAt: Date): Date => new Date(sentAt.getTime() - CLOCK_MARGIN_MS);

export type VerifyDecision =
  /** It was made by us. */
  | { decision: 'ours'; record: PipedriveRecord }
  /** Somebody else's record has the identity. */
  | { decision: 'existing'; record: PipedriveRecord }
  | { decision: 'several'; candidates: string[] }
  | { decision: 'absent' };

/** What the records that match what was sent say about a create of unknown end. */
export function decideVerified(matches: readonly PipedriveRecord[], sentAt: Date): VerifyDecision {
  const living = matches.filter(({ deleted }) => !deleted);
  const since = listedSince(sentAt).getTime();
  const fresh = living.filter(({ addTime }) => addTime !== null && Date.parse(addTime) >= since);
  const [record, ...others] = fresh.length > 0 ? fresh : living;
  if (record === undefined) return { decision: 'absent' };
  if (others.length > 0) {
    return { decision: 'several', candidates: [record, ...others].map(({ id }) => id) };
  }
  return fresh.length > 0 ? { decision: 'ours', record } : { decision: 'existing', record };
}

/** A create is repeated at most once after its end stayed unknown. */
export const mayCreateAgain = (unknownCreates: number): boolean => unknownCreates < 2;

/** The keys that are worth a search, in order of trust. */
export const searchKeys = (step: {
  operation: string;
  identity: readonly IdentityKey[];
}): Exclude<IdentityKey, { kind: 'pipedrive_id' }>[] =>
  step.operation === 'create'
    ? []
    : step.identity.flatMap((key) => (key.kind === 'pipedrive_id' ? [] : [key]));

/** Where a person can look at the record; objects without a page of their own have none. */
export function urlOf(
  companyOrigin: string,
  record: { object: string; id: string },
): string | undefined {
  const base = companyOrigin.replace(/\/+$/, '');
  switch (record.object) {
    case 'person':
    case 'organization':
    case 'deal':
    case 'product':
      return `${base}/${record.object}/${record.id}`;
    case 'lead':
      return `${base}/leads/inbox/${record.id}`;
    default:
      return undefined;
  }
}

const MOST_FAILURES = 10;

/** What to do after an error nobody foresaw: some more tries, then a person. */
export const decideUnforeseen = (attempts: number): FailureDecision =>
  attempts < MOST_FAILURES
    ? { decision: 'again', delayMs: retryDelayMs(attempts), reason: 'handler_failed', counts: true }
    : {
        decision: 'park',
        reason: 'handler_failed',
        cause: 'This service failed on the step each time it was tried.',
        fix: 'Look for the id of the step in the log of the connections service, then use redrive.',
      };
