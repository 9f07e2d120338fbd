import type { ReasonCode } from '@manifold/contracts';
import { causeOf, fixOf } from '../../accounts/rules.ts';
import type { Connection } from '../../accounts/tables.ts';
import type { ChangeSet } from '../store.ts';

/** What a reason means, and what a person can do. */
export interface Words {
  why: string;
  fix: string;
}

type SetReason = Extract<
  ReasonCode,
  | 'approval_required'
  | 'too_many_records'
  | 'too_large_a_part'
  | 'deletes_not_allowed'
  | 'merges_not_allowed'
  | 'canary_finished'
  | 'plan_expired'
  | 'cancelled_by_user'
  | 'connection_missing'
  | 'connection_disabled'
  | 'connection_needs_reauth'
  | 'scope_missing'
  | 'index_needed'
  | 'pipedrive_refused'
  | 'pipedrive_unreachable'
  | 'pipedrive_blocked'
  | 'budget_spent'
  | 'burst_limited'
  | 'handler_failed'
>;

const LOOK = 'Look at the changes, then approve them with approveChangeSet, or cancel the set.';
const GO_ON = 'then go on with resumeChangeSet, or plan the set anew when it has failed.';
const LATER = 'Nothing needs to be done: it goes on by itself.';

/** Every reason a set can wait, rest or end for. */
export const setWords: Readonly<Record<SetReason, Words>> = {
  approval_required: {
    why: 'The policy of the workspace has a person look at a plan like this one first.',
    fix: LOOK,
  },
  too_many_records: { why: 'It changes more records than its limits allow.', fix: LOOK },
  too_large_a_part: {
    why: 'It changes a larger part of the records than its limits allow.',
    fix: LOOK,
  },
  deletes_not_allowed: {
    why: 'It deletes records, which its limits do not allow.',
    fix: `${LOOK} A deletion cannot be undone.`,
  },
  merges_not_allowed: {
    why: 'It joins records, which its limits do not allow.',
    fix: `${LOOK} Joined records cannot be parted again.`,
  },
  canary_finished: {
    why: 'The first changes came to rest, and the others were not approved yet.',
    fix: 'Look at what became of the first ones, then approve the rest, or cancel the set.',
  },
  plan_expired: {
    why: 'Nobody has decided about it for 30 days, so its values were removed.',
    fix: 'Plan it anew if it is still wanted.',
  },
  cancelled_by_user: {
    why: 'A person has cancelled it.',
    fix: 'Plan it anew if it is still wanted; undoChangeSet takes back what it has written.',
  },
  connection_missing: {
    why: 'The connection it was written through was removed.',
    fix: 'Connect the company again, and plan anew what was not written.',
  },
  connection_disabled: {
    why: 'The connection is switched off.',
    fix: 'Switch it on with the mutation enableConnection.',
  },
  connection_needs_reauth: {
    why: 'Pipedrive no longer accepts the credential of the connection.',
    fix: 'Connect the same user of the company again; what waits is kept.',
  },
  scope_missing: {
    why: 'The connection lacks a permission to read what the set changes.',
    fix: `Add the scope to the app in the Developer Hub, connect again, ${GO_ON}`,
  },
  index_needed: {
    why: 'Records of the set can be found by an index only, and there is none that can be used.',
    fix: `Have the keys indexed with trackRecords, through a connection that sees all records, ${GO_ON}`,
  },
  pipedrive_refused: {
    why: 'Pipedrive has refused to hand out the records of the set.',
    fix: `See the last call of apiUsage, correct what it names, ${GO_ON}`,
  },
  pipedrive_unreachable: {
    why: 'Pipedrive could not be reached, or its answers cannot be used.',
    fix: 'It is tried again by itself. If it lasts, see whether this installation reaches Pipedrive.',
  },
  pipedrive_blocked: {
    why: 'Pipedrive has blocked the credential for a while.',
    fix: `${LATER} Calling on makes the block last longer.`,
  },
  budget_spent: {
    why: "The company's API tokens of the day are spent, or the rest is kept for what is more urgent.",
    fix: 'Wait for the next UTC day, or buy more tokens at Pipedrive, or tell Manifold with setApiPlan: it looks at once; apiBudget shows what they were spent on.',
  },
  burst_limited: { why: 'Pipedrive takes only so many calls within two seconds.', fix: LATER },
  handler_failed: {
    why: 'This service has failed on the set.',
    fix: `Look for the id of the set in the log of the connections service, ${GO_ON}`,
  },
};

const unforeseen: Words = {
  why: 'Something has stopped the work on the set that it has no words for.',
  fix: 'Look for the id of the set in the log of the connections service.',
};

const isKnown = (reason: ReasonCode): reason is SetReason => reason in setWords;

/** What stopped work on a set for now; nothing once nobody works on it. */
export const waitOf = ({ state, waiting_reason }: Pick<ChangeSet, 'state' | 'waiting_reason'>) =>
  state === 'planning' || state === 'applying' ? waiting_reason : null;

type Explained = Pick<ChangeSet, 'state' | 'reason' | 'waiting_reason'>;
type Used = Pick<Connection, 'status' | 'status_reason' | 'broken_since' | 'method'>;

/** Why a set is where it is, in words; undefined when there is nothing to say. */
export function explainSet(
  set: Explained,
  connection: Used | null,
  goesOnAt?: Date,
): Words | undefined {
  const words = explain(set, connection);
  if (words === undefined || goesOnAt === undefined || waitOf(set) === null) return words;
  return { ...words, fix: `It goes on by itself at ${minuteOf(goesOnAt)}. ${words.fix}` };
}

/** To the minute, for example `2026-03-02 00:00 UTC`. */
const minuteOf = (at: Date): string =>
  `${new Date(Math.round(at.getTime() / 60_000) * 60_000).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

function explain(set: Explained, connection: Used | null): Words | undefined {
  const reason = set.reason ?? waitOf(set);
  if (reason === null) return undefined;
  if (!isKnown(reason)) return unforeseen;
  const words = setWords[reason];
  if (reason === 'connection_missing' && set.state === 'awaiting_approval') {
    return {
      why: 'The personal connection of whoever approved it was removed before everything was written.',
      fix: 'Approve it again: what is left is written in the name of whoever does, or of the organization.',
    };
  }
  if (connection === null || !reason.startsWith('connection_')) return words;
  return { why: causeOf(connection) ?? words.why, fix: fixOf(connection) ?? words.fix };
}
