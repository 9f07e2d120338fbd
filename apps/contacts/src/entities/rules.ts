import type { MergePolicy, VariableValue } from '@manifold/contracts';
import { isEmpty, isSameValue, type MappedRecord, merge } from '@manifold/mapping';
import { entityOf } from '../mappings/rules.ts';
import type { Contact, SyncedObject, Values } from '../store.ts';

/** Key of the account in a contact's origins; no variable can be called so. */
export const ACCOUNT_KEY = '@account';

/** A contact or account as far as merging is concerned. */
export type Standing = Pick<Contact, 'account_id' | 'values' | 'origins' | 'subscriptions'>;

export interface EntityPlan {
  outcome: 'created' | 'updated' | 'unchanged' | 'skipped';
  reason?:
    | 'unknown_record_not_created'
    | 'required_target_missing'
    | 'no_identifier'
    | 'association_limit_reached'
    | 'existing_record_left_alone';
  values: Values;
  accountId: Contact['account_id'];
  changedKeys: string[];
}

/** What one record makes of the contact or account it belongs to. */
export function planEntity(options: {
  object: SyncedObject;
  mapped: MappedRecord;
  policy: MergePolicy;
  /** Undefined: there is none yet. */
  existing: Standing | undefined;
  /** Undefined: the record says nothing about it, or the account is not here. */
  accountId: Contact['account_id'] | undefined;
  /** True: a new contact or account of these values may be made (WX-10). */
  isIdentified: (values: Values) => boolean;
}): EntityPlan {
  const { object, mapped, policy, existing } = options;
  const entity = entityOf(object);
  const { outcome, values, changed, kept } = merge({
    object: entity,
    existing: existing?.values,
    incoming: mapped.values[entity] ?? {},
    createOnly: mapped.createOnlyValues[entity] ?? {},
    policy,
  });
  const nothing = {
    values: existing?.values ?? {},
    accountId: existing?.account_id ?? null,
    changedKeys: [],
  };
  if (outcome === 'refused')
    return { ...nothing, outcome: 'skipped', reason: 'unknown_record_not_created' };
  if (outcome === 'created' && mapped.missing.some((key) => key.startsWith(`${entity}.`))) {
    return { ...nothing, outcome: 'skipped', reason: 'required_target_missing' };
  }
  if (outcome === 'created' && !options.isIdentified(values)) {
    return { ...nothing, outcome: 'skipped', reason: 'no_identifier' };
  }
  const accountId = decideAccount(policy, existing, options.accountId);
  const moved = existing !== undefined && accountId !== existing.account_id;
  const changedKeys = moved ? [...changed, 'account'] : changed;
  if (outcome === 'created') return { outcome, values, accountId, changedKeys };
  if (changedKeys.length > 0) return { outcome: 'updated', values, accountId, changedKeys };
  return kept.some(({ reason }) => reason === 'existing_ignored')
    ? { ...nothing, outcome: 'skipped', reason: 'existing_record_left_alone' }
    : { ...nothing, outcome: 'unchanged' };
}

/** A record that would be one too many behind its contact or account (OR-24). */
export const oneTooMany = (existing: Standing): EntityPlan => ({
  outcome: 'skipped',
  reason: 'association_limit_reached',
  values: existing.values,
  accountId: existing.account_id,
  changedKeys: [],
});

/** False: the record made no contact or account, and leaves no link behind. */
export const isTaken = ({ outcome, reason }: EntityPlan): boolean =>
  outcome !== 'skipped' || reason === 'existing_record_left_alone';

/** The account follows the same policy as a variable. */
function decideAccount(
  policy: MergePolicy,
  existing: Standing | undefined,
  incoming: Contact['account_id'] | undefined,
): Contact['account_id'] {
  if (existing === undefined) return incoming ?? null;
  const stays =
    policy.existing === 'ignore' || (policy.existing === 'append' && existing.account_id !== null);
  return incoming === undefined || stays ? existing.account_id : incoming;
}

/** Which source vouches for which variable, kept only once a second source fills the same contact. */
export function attribute(options: {
  before: Standing | undefined;
  after: { values: Values; accountId: Contact['account_id'] };
  incoming: Readonly<Record<string, VariableValue>>;
  sourceId: string;
  /** The source that filled everything so far, when another one joins now. */
  joins: string | undefined;
}): Record<string, string> {
  const { before, after, incoming, sourceId, joins } = options;
  const known = before?.origins ?? {};
  if (joins === undefined && Object.keys(known).length === 0) return {};
  const filled = [
    ...Object.keys(before?.values ?? {}),
    ...(before?.account_id ? [ACCOUNT_KEY] : []),
  ];
  const origins = {
    ...Object.fromEntries(joins === undefined ? [] : filled.map((key) => [key, joins])),
    ...known,
  };
  for (const [key, value] of Object.entries(incoming)) {
    if (!isEmpty(value) && isSameValue(after.values[key] ?? null, value)) origins[key] = sourceId;
  }
  if (after.accountId !== null && after.accountId !== before?.account_id)
    origins[ACCOUNT_KEY] = sourceId;
  return origins;
}

/** What is left of a contact when one of its sources is gone (A12). */
export function withoutSource(entity: Standing, sourceId: string) {
  const cleared = Object.keys(entity.origins).filter((key) => entity.origins[key] === sourceId);
  const gone = new Set(cleared);
  const keep = <Value>(record: Record<string, Value>) =>
    Object.fromEntries(Object.entries(record).filter(([key]) => !gone.has(key)));
  const loosened = gone.has(ACCOUNT_KEY);
  return {
    values: keep(entity.values),
    origins: keep(entity.origins),
    accountId: loosened ? null : entity.account_id,
    subscriptions: entity.subscriptions,
    changedKeys: cleared.map((key) => (key === ACCOUNT_KEY ? 'account' : key)),
  };
}
