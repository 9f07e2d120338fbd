import type { ReasonCode } from '@manifold/contracts';
import type { Failure } from '@manifold/pipedrive';

/** Why records are not kept current: a stable code, and what happened where more is known than that. */
export interface Trouble {
  reason: ReasonCode;
  cause: string | null;
}

const LONGEST_CAUSE = 500;

/** What a failed call says. Pipedrive's messages hold no values. */
export function explainFailure(failure: Failure): Trouble {
  switch (failure.outcome) {
    case 'refused':
      return {
        reason: 'pipedrive_refused',
        cause: `Pipedrive answered ${failure.status}: ${failure.message}`.slice(0, LONGEST_CAUSE),
      };
    case 'unauthorized':
      return { reason: 'connection_needs_reauth', cause: null };
    case 'limited':
      return { reason: failure.kind === 'daily' ? 'budget_spent' : 'burst_limited', cause: null };
    case 'blocked':
      return { reason: 'pipedrive_blocked', cause: null };
    case 'scope_missing':
      return { reason: 'scope_missing', cause: null };
    case 'not_sent':
    case 'unavailable':
    case 'unknown':
      return { reason: 'pipedrive_unreachable', cause: null };
  }
}

interface Advice {
  cause: string;
  fix: string;
}

const HANDLER_FAILED: Advice = {
  cause: 'This service failed on it.',
  fix: 'Nothing needs to be done: it is tried again. If it lasts, look at the log of this service.',
};

const advices: Partial<Record<ReasonCode, Advice>> = {
  pipedrive_refused: {
    cause: 'Pipedrive refuses to list the records.',
    fix: 'See whether the user of the connection may see these records in Pipedrive, then verify again.',
  },
  connection_needs_reauth: {
    cause: 'Pipedrive no longer accepts the credential of the connection that reads.',
    fix: 'Connect the same user of the company again.',
  },
  connection_disabled: {
    cause: 'The connection that reads is switched off.',
    fix: 'Switch it on with the mutation enableConnection.',
  },
  connection_missing: {
    cause: 'The connection that reads was removed.',
    fix: 'Track the records with another connection.',
  },
  scope_missing: {
    cause: 'The connection lacks the permission to read these records.',
    fix: 'Add the scope to the app in the Developer Hub and connect again.',
  },
  budget_spent: {
    cause: "The company's API tokens of the day are spent, or kept for what is more urgent.",
    fix: 'Wait for the next UTC day, or buy more tokens at Pipedrive.',
  },
  burst_limited: {
    cause: 'Pipedrive takes only so many calls within two seconds.',
    fix: 'Nothing needs to be done: it goes on within seconds.',
  },
  pipedrive_blocked: {
    cause: 'Pipedrive has blocked the credential for a while.',
    fix: 'Wait: it goes on by itself.',
  },
  pipedrive_unreachable: {
    cause: 'Pipedrive could not be reached, or failed to answer.',
    fix: 'Nothing needs to be done: it is tried again.',
  },
};

/** What happened, and what a person can do about it; nothing while all is well. */
export function adviseOn({
  reason,
  cause,
}: {
  reason: ReasonCode | null;
  cause: string | null;
}): { cause: string; fix: string } | undefined {
  if (reason === null) return undefined;
  const advice = advices[reason] ?? HANDLER_FAILED;
  return { ...advice, cause: cause ?? advice.cause };
}
