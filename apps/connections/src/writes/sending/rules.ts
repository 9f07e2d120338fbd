import type { PipedriveRecord, ReasonCode } from '@manifold/contracts';
import type { Failure } from '@manifold/pipedrive';
import type { MissingScope } from '../../accounts/rules.ts';
import { carriesMark, hasSameParent, isSent, type Sent } from '../identity/rules.ts';
import type { StepEffect } from '../tables.ts';
import { lastingCauses } from './lasting/rules.ts';

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
      return parkForScope(failure);
    case 'not_sent':
    case 'unavailable': {
      const lasting = step.attempts < MOST_FAILURES ? undefined : lastingCauses[failure.cause];
      if (lasting !== undefined) return { decision: 'park', ...lasting };
      return again('pipedrive_unreachable', retryDelayMs(step.attempts), true);
    }
    case 'unknown':
      return { decision: 'settle' };
  }
}

type Refused = Extract<Failure, { outcome: 'refused' }>;

/** 404 for a record that is gone or out of sight, 410 for one that is purged. */
export const isAbsent = (failure: Failure): boolean =>
  failure.outcome === 'refused' && (failure.status === 404 || failure.status === 410);

/** Names what is missing where the client knew the connection the call was made with. */
function parkForScope(failure: { outcome: 'scope_missing' } & Partial<MissingScope>) {
  const { feature, scopes = [], fix } = failure;
  const lacking = scopes.length === 0 ? '' : ` (${scopes.join(', ')})`;
  const way = fix ?? 'Add the scope to the app in the Developer Hub and connect again.';
  return {
    decision: 'park',
    reason: 'scope_missing',
    cause: `The connection lacks a permission for ${feature === undefined ? 'this write' : `${feature}${lacking}`}.`,
    fix: `${way} Then use redrive.`.slice(0, 500),
  } as const;
}

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

/** Parts of the settle time at whose end calls of unknown end are looked for, many at once. */
const CYCLES = 12;

/** When a call of unknown end is looked for: after the settle time, with others that wait too. */
export function settleUntil(sentAt: Date, at: { settleMs: number; now: Date }): Date {
  const settled = Math.max(Number(at.now), Number(sentAt) + at.settleMs);
  const cycle = Math.max(1, Math.floor(at.settleMs / CYCLES));
  return new Date(Math.ceil(settled / cycle) * cycle);
}

export type VerifyDecision =
  /** It was made by us. */
  | { decision: 'ours'; record: PipedriveRecord }
  /** It was made by us, and deleted since. */
  | { decision: 'ours_gone'; id: string }
  /** Somebody else's record has the identity. */
  | { decision: 'existing'; record: PipedriveRecord }
  | { decision: 'several'; candidates: string[] }
  /** None is the same, some could be. */
  | { decision: 'unclear'; candidates: string[] }
  | { decision: 'absent' };

/** What was sent by a create of unknown end. */
export interface SentCreate extends Sent {
  sentAt: Date;
}

/** What the records changed since then say about a create of unknown end. */
export function decideVerified(
  changed: readonly PipedriveRecord[],
  sent: SentCreate,
): VerifyDecision {
  const since = listedSince(sent.sentAt).getTime();
  const isNew = ({ addTime }: PipedriveRecord) => addTime !== null && Date.parse(addTime) >= since;
  const living = changed.filter(({ deleted }) => !deleted);
  const marked = living.filter((record) => carriesMark(record, sent.mark));
  const gone = changed.find((record) => record.deleted && carriesMark(record, sent.mark));
  if (gone !== undefined && marked.length < 1) return { decision: 'ours_gone', id: gone.id };
  const matches = marked.length > 0 ? marked : living.filter((record) => isSent(record, sent));
  const fresh = matches.filter(isNew);
  const [record, ...others] = fresh.length > 0 ? fresh : matches;
  if (record === undefined) return decideUnmatched(living.filter(isNew), sent);
  if (others.length > 0) {
    return { decision: 'several', candidates: [record, ...others].map(({ id }) => id) };
  }
  const isOurs = sent.mark === undefined ? fresh.length > 0 : marked.length > 0;
  return { decision: isOurs ? 'ours' : 'existing', record };
}

const MOST_CANDIDATES = 10;

/**
 * Notes and activities carry no mark, and Pipedrive rewrites their text: a new one at the same place
 * may be the one.
 */
function decideUnmatched(fresh: readonly PipedriveRecord[], sent: SentCreate): VerifyDecision {
  const near = fresh.filter((record) => hasSameParent(record, sent.fields));
  if (near.length === 0) return { decision: 'absent' };
  return { decision: 'unclear', candidates: near.slice(0, MOST_CANDIDATES).map(({ id }) => id) };
}

const MOST_UNKNOWN_CREATES = 4;

/** A create whose end stayed unknown and of which nothing is found is sent again, but not for ever. */
export const mayCreateAgain = (unknownCreates: number): boolean =>
  unknownCreates < MOST_UNKNOWN_CREATES;

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

export const MOST_FAILURES = 10;

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
