import {
  type ConnectionId,
  FieldCode,
  type FieldValue,
  type PipedriveRecord,
} from '@manifold/contracts';
import { isHopeless, Refusal } from '@manifold/errors';
import type { Failure, WebhookEvent } from '@manifold/pipedrive';
import type { ChangeAction, WebhookHealth, WebhookReceipt } from './tables.ts';

/** Bodies, records and the memory of repeats are kept this long at most. */
export const KEEP_MS = 7 * 24 * 3_600_000;
/** Tries at understanding one receipt before it is parked. */
export const MOST_ATTEMPTS = 5;
const RETRY_DELAYS_MS = [1_000, 5_000, 30_000, 120_000];

export const retryAt = (attempts: number, now: Date): Date =>
  new Date(now.getTime() + (RETRY_DELAYS_MS[attempts - 1] ?? 120_000));

/** When to look at a subscription again: it works, something passes, or somebody has to act. */
export type Pace = 'normal' | 'soon' | 'later';

/** Pipedrive's own no stays until somebody changes something there. */
export const paceAfter = (outcome: Failure['outcome']): Pace =>
  outcome === 'refused' || outcome === 'scope_missing' ? 'later' : 'soon';

/** Classes of Postgres errors that pass: connection, rollback, resources, locks and ends, system. */
const PASSING = /^(08|40|53|55|57|58)/;

/** Whether a fault is no fault of the delivery it struck, so that it must not count against it. */
export function isPassing(error: unknown): boolean {
  if (error instanceof Refusal) return !isHopeless(error);
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && PASSING.test(code);
}

/** When to look again whether it has passed. */
export const passedBy = (now: Date): Date => new Date(now.getTime() + 5_000);

/** Looks at a delivery of a subscription we do not know: one made this moment is stored soon. */
const MOST_LOOKS = 3;
/** The list of subscriptions is read no more often than this for deliveries nobody knows. */
const RELIST_MS = 30_000;

/**
 * What to do with a delivery of a subscription we do not know: it may be ours, made by a call whose
 * answer was lost, so the list is read again before the delivery is parked.
 */
export function decideUnknown(
  { attempts, received_at }: Pick<WebhookReceipt, 'attempts' | 'received_at'>,
  health: Pick<WebhookHealth, 'checked_at'> | undefined,
  now: Date,
): { next: 'wait' | 'park'; checkAt?: Date } {
  const listed = health?.checked_at ?? null;
  const isListed = listed !== null && listed > received_at;
  const most = isListed ? MOST_LOOKS : MOST_ATTEMPTS;
  const next = attempts + 1 < most ? 'wait' : 'park';
  if (isListed) return { next };
  return { next, checkAt: new Date(Math.max(now.getTime(), (listed?.getTime() ?? 0) + RELIST_MS)) };
}

const MOST_KEYS = 500;

/** Text as Pipedrive writes ids: it can be stored, compared, and put into the path of a call. */
const isId = (text: string | null): boolean => text === null || /^[\w.:-]{1,100}$/.test(text);
const isRecordId = (text: string | null): boolean =>
  text === null || /^[A-Za-z0-9-]{1,64}$/.test(text);

/** False for a body of the right form whose ids Pipedrive cannot have written. */
export const hasPlausibleIds = (event: WebhookEvent): boolean =>
  [event.id, event.correlationId, event.userId, event.webhookId].every(isId) &&
  [event.recordId, event.mergedInto, event.mergedFrom].every(isRecordId);

/** A subscription made anew has a new id; the last deliveries of the one before may still come. */
export const isOfSubscription = (
  { webhookId }: Pick<WebhookEvent, 'webhookId'>,
  known: readonly (string | null | undefined)[],
): boolean => {
  const ids = known.filter((id) => id != null);
  return webhookId === null || ids.length === 0 || ids.includes(webhookId);
};

/** Whom an event may be read for besides the connection it came to: whose users may see the record. */
export const decideHearers = <
  Hearer extends { id: ConnectionId; is_admin: boolean; pipedrive_user_id: string },
>(
  others: readonly Hearer[],
  { permittedUserIds }: Pick<WebhookEvent, 'permittedUserIds'>,
): ConnectionId[] =>
  others
    .filter(({ is_admin, pipedrive_user_id }) =>
      // administrators see everything; of anybody else it has to be said
      permittedUserIds === null ? is_admin : permittedUserIds.includes(pipedrive_user_id),
    )
    .map(({ id }) => id);

export type TellingDecision = 'tell' | 'superseded';

/**
 * Whether a change is news. Deliveries come in any order: what is older than what was told is not.
 * A merge is told by either of its two deliveries, so a record that is gone is not told gone again.
 */
export function decideTelling(
  told: { action: ChangeAction | null; revision: string | null } | undefined,
  change: Pick<Change, 'action' | 'revision'>,
): TellingDecision {
  if (told === undefined) return 'tell';
  if (Number(told.revision ?? 0) > change.revision) return 'superseded';
  const isGoneAlready = told.action === 'merged' || told.action === change.action;
  return isGone(change.action) && isGoneAlready ? 'superseded' : 'tell';
}

const isGone = (action: ChangeAction): boolean => action === 'deleted' || action === 'merged';

export interface Change {
  action: ChangeAction;
  changedKeys: string[];
  /** Milliseconds since 1970, of the change at Pipedrive. */
  revision: number;
  mergedIntoPipedriveId?: string;
}

/** What a webhook says in the words of `record_changed`. */
export function describeChange(event: WebhookEvent): Change {
  const revision = Date.parse(event.occurredAt);
  switch (event.action) {
    case 'create':
      return { action: 'created', changedKeys: filledKeys(event.record.fields), revision };
    case 'change':
      return {
        action: 'updated',
        changedKeys: fieldCodes(Object.keys(event.previous ?? {})),
        revision,
      };
    case 'delete':
      return event.mergedInto === null
        ? { action: 'deleted', changedKeys: [], revision }
        : { action: 'merged', changedKeys: [], revision, mergedIntoPipedriveId: event.mergedInto };
  }
}

const filledKeys = (fields: Record<string, FieldValue>): string[] =>
  fieldCodes(Object.keys(fields).filter((key) => fields[key] !== null));

const fieldCodes = (keys: readonly string[]): string[] =>
  keys.filter((key) => FieldCode.safeParse(key).success).slice(0, MOST_KEYS);

/** A record with the named fields only; a field it does not hold stays absent. */
export const project = (record: PipedriveRecord, fields: readonly string[]): PipedriveRecord => ({
  ...record,
  fields: Object.fromEntries(
    fields.flatMap((code) => {
      const value = record.fields[code];
      return value === undefined ? [] : [[code, value]];
    }),
  ),
});
