import type { ReasonCode } from '@manifold/contracts';
import { causeOf, decideAccess, fixOf } from '../../accounts/rules.ts';
import type { Connection } from '../../accounts/tables.ts';
import type { RequestState, StepState } from '../tables.ts';

/** Why a step is where it is: a code, what happened, and what a person can do. */
export interface Explanation {
  reason: ReasonCode | null;
  cause: string | null;
  fix: string | null;
}

export interface Pause {
  until: Date;
  reason: ReasonCode;
}

type Broken = Pick<Connection, 'status' | 'status_reason' | 'broken_since' | 'method'>;

/** What a step says that waits for its turn, the budget or the connection. */
export function decideWait(
  step: { state: StepState; reason: ReasonCode | null; not_before: Date },
  on: {
    request: { state: RequestState } | null;
    connection: Broken | null;
    pause: Pause | undefined;
  },
): Explanation {
  const { request, connection, pause } = on;
  // one that is planned behind a parked step waits for that and nothing else
  if (request?.state !== 'pending' || connection === null) return explainWait(step.reason);
  const access = decideAccess(connection);
  if (access.outcome === 'refuse') {
    const said = explainWait(access.reason);
    const broke = connection.status === 'NEEDS_REAUTH' ? causeOf(connection) : undefined;
    return { ...said, cause: broke ?? said.cause, fix: fixOf(connection) ?? null };
  }
  const waitsForPause = pause !== undefined && pause.until >= step.not_before;
  return explainWait(waitsForPause ? pause.reason : step.reason);
}

/** A reason to wait, in words where it has some. */
export const explainWait = (reason: ReasonCode | null): Explanation => ({
  reason,
  cause: null,
  fix: null,
  ...(reason === null ? {} : explanations[reason]),
});

const explanations: Partial<Record<ReasonCode, { cause: string; fix: string }>> = {
  connection_disabled: {
    cause: 'The connection is switched off.',
    fix: 'Switch it on with the mutation enableConnection.',
  },
  connection_needs_reauth: {
    cause: 'Pipedrive no longer accepts the credential of the connection.',
    fix: 'Connect the same user of the company again.',
  },
  pipedrive_unreachable: {
    cause: 'Pipedrive could not be reached, or failed to answer.',
    fix: 'Nothing needs to be done: it is tried again. If it lasts, see whether this installation reaches the company at Pipedrive.',
  },
  pipedrive_blocked: {
    cause: 'Pipedrive has blocked the credential for a while.',
    fix: 'Wait: it goes on by itself, and calling on makes the block last longer.',
  },
  burst_limited: {
    cause: 'Pipedrive takes only so many calls within two seconds.',
    fix: 'Nothing needs to be done: it goes on within seconds.',
  },
  record_gone: {
    cause: 'The record is no longer in Pipedrive.',
    fix: 'Nothing needs to be done: it is looked up anew.',
  },
  outcome_unknown: {
    cause:
      'Pipedrive gave no answer to the call, so it is not known yet whether it was carried out.',
    fix: 'Nothing needs to be done: it is looked for in Pipedrive after a while, and sent again only when it is not there.',
  },
  handler_failed: {
    cause: 'This service failed on the step.',
    fix: 'Nothing needs to be done: it is tried again, and parked when it fails each time.',
  },
  budget_spent: {
    cause:
      "The company's API tokens of the day are spent, or the rest is kept for what is more urgent.",
    fix: 'Wait for the next UTC day, or buy more tokens at Pipedrive, or tell Manifold with setApiPlan: it looks at once; apiBudget shows what they were spent on.',
  },
};

/** What a step says that was stopped: by a person, with its connection, or with its end in doubt too. */
export function explainCancelled(why: 'user' | 'newer' | 'removal' | 'doubt'): Explanation {
  switch (why) {
    case 'user':
      return { reason: 'cancelled_by_user', cause: null, fix: null };
    case 'newer':
      return {
        reason: 'superseded_by_newer',
        cause: 'A newer write has taken the place of this one.',
        fix: null,
      };
    case 'removal':
      return {
        reason: 'connection_missing',
        cause: 'The connection was removed before this was sent.',
        fix: 'Connect the company again, then have it written anew where it was asked for.',
      };
    case 'doubt':
      return {
        reason: 'outcome_unknown',
        cause: 'The connection was removed before it was known what came of the call.',
        fix: 'Look in Pipedrive whether it was carried out.',
      };
  }
}
