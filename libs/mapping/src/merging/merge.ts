import type {
  FieldValue,
  KeptReason,
  MappedValue,
  MergePolicy,
  PipedriveObject,
  TargetKey,
  VariableValue,
} from '@manifold/contracts';
import { isEmpty } from '../converting/conversion.ts';

export interface Merge {
  object: 'contact' | 'account';
  /** Undefined: there is no such record yet. */
  existing: Readonly<Record<string, VariableValue>> | undefined;
  incoming: Readonly<Record<string, VariableValue>>;
  /** Used on creation, for variables `incoming` leaves empty. */
  createOnly?: Readonly<Record<string, VariableValue>>;
  policy: MergePolicy;
}

export interface MergeResult {
  /** `refused`: the record is new and the policy creates none. */
  outcome: 'created' | 'updated' | 'unchanged' | 'refused';
  /** The whole record after the merge. */
  values: Record<string, VariableValue>;
  /** Keys whose value differs from before. */
  changed: string[];
  /** Incoming values that differ and were not taken. */
  kept: { field: string; reason: KeptReason }[];
}

/** What an incoming record makes of an existing one under a policy. Never throws. */
export function merge({ object, existing, incoming, createOnly, policy }: Merge): MergeResult {
  if (existing === undefined && !policy.createMissing) {
    return { outcome: 'refused', values: {}, changed: [], kept: [] };
  }
  const isProtected = protectedFields(object, policy);
  const before = new Map(Object.entries(existing ?? {}));
  const after = new Map(before);
  const changed: string[] = [];
  const kept: MergeResult['kept'] = [];
  const given = existing === undefined ? withDefaults(incoming, createOnly) : incoming;
  for (const [field, value] of Object.entries(given)) {
    const current = before.get(field) ?? null;
    if (isSameValue(current, value)) continue;
    const reason = isProtected(field)
      ? 'field_protected'
      : decideKept(policy, existing !== undefined, current, value);
    if (reason !== undefined) {
      kept.push({ field, reason });
      continue;
    }
    after.set(field, isEmpty(value) ? null : value);
    changed.push(field);
  }
  const outcome = existing === undefined ? 'created' : changed.length > 0 ? 'updated' : 'unchanged';
  return { outcome, values: Object.fromEntries(after), changed, kept };
}

function decideKept(
  policy: MergePolicy,
  exists: boolean,
  current: VariableValue,
  value: VariableValue,
): KeptReason | undefined {
  const filled = !isEmpty(current);
  if (policy.protectFilled && filled) return 'field_filled';
  if (policy.ignoreEmpty && isEmpty(value)) return 'empty_ignored';
  if (!exists) return undefined;
  switch (policy.existing) {
    case 'overwrite':
      return undefined;
    case 'append':
      return filled ? 'field_filled' : undefined;
    case 'ignore':
      return 'existing_ignored';
  }
}

const withDefaults = (
  incoming: Readonly<Record<string, VariableValue>>,
  createOnly: Readonly<Record<string, VariableValue>> = {},
): Record<string, VariableValue> => {
  const filled = Object.entries(incoming).filter(([, value]) => !isEmpty(value));
  return Object.fromEntries([...Object.entries(createOnly), ...filled]);
};

/** The fields of a write step after protection and "ignore empty". */
export function fieldsToWrite(options: {
  object: PipedriveObject;
  fields: Readonly<Record<string, FieldValue>>;
  policy: MergePolicy;
}): Record<string, FieldValue> {
  const isProtected = protectedFields(options.object, options.policy);
  const kept = Object.entries(options.fields).filter(
    ([field, value]) => !isProtected(field) && !(options.policy.ignoreEmpty && isEmpty(value)),
  );
  return Object.fromEntries(kept);
}

/** How a write step treats a record that already exists, in the words of `WriteStep`. */
export const existingRuleOf = ({
  existing,
  protectFilled,
}: MergePolicy): 'update' | 'fill_blanks' | 'leave' => {
  if (existing === 'ignore') return 'leave';
  return existing === 'append' || protectFilled ? 'fill_blanks' : 'update';
};

function protectedFields(object: string, policy: MergePolicy): (field: string) => boolean {
  const keys = new Set<TargetKey>(policy.protected);
  return (field) => keys.has(`${object}.${field}`);
}

/** Equal in content; all that is empty is equal. */
export function isSameValue(one: MappedValue, other: MappedValue): boolean {
  if (isEmpty(one) || isEmpty(other)) return isEmpty(one) && isEmpty(other);
  return isSameJson(one, other);
}

function isSameJson(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null)
    return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const entries = Object.entries(one);
  const others = new Map(Object.entries(other));
  return (
    entries.length === others.size &&
    entries.every(([key, value]) => others.has(key) && isSameJson(value, others.get(key)))
  );
}
