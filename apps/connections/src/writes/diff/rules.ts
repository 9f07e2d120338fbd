import type {
  ChannelValue,
  FieldValue,
  IdentityKey,
  PipedriveRecord,
  WriteStep,
} from '@manifold/contracts';

export type Fields = Readonly<Record<string, FieldValue>>;

/** What to write so that an existing record becomes what it should be; empty when it already is. */
export function decideChanges(
  existing: Fields,
  wanted: Fields,
  policy: WriteStep['existing'],
): Record<string, FieldValue> {
  const changes: Record<string, FieldValue> = {};
  if (policy === 'leave') return changes;
  for (const [code, value] of Object.entries(wanted)) {
    const present = existing[code] ?? null;
    const target = joinValue(present, value);
    if (policy === 'fill_blanks' && (!isBlank(present) || isBlank(target))) continue;
    if (!isSameValue(present, target)) changes[code] = target;
  }
  return changes;
}

/** What a field holds once a wish is carried out: lists of addresses grow, anything else is replaced. */
export const joinValue = (present: FieldValue, wanted: FieldValue): FieldValue =>
  isChannels(wanted) || isChannels(present) ? addTo(present, wanted) : wanted;

/** The wanted fields less those that somebody gave another value than `expected` or the wanted one. */
export const withoutEdited = (
  existing: Fields,
  wanted: Fields,
  expected: Fields,
): Record<string, FieldValue> =>
  Object.fromEntries(
    Object.entries(wanted).filter(([code, value]) => {
      const before = expected[code];
      const present = existing[code] ?? null;
      return before === undefined || isSameValue(present, before) || isSameValue(present, value);
    }),
  );

/**
 * The fields of a new record: what it is known by, under what only a create sets, under the rest.
 * Blanks are left out.
 */
export function fieldsOfNew(step: {
  identity: readonly IdentityKey[];
  fields: Fields;
  createOnlyFields: Fields;
}): Record<string, FieldValue> {
  const known = Object.fromEntries(step.identity.flatMap(fieldOfKey));
  const all = Object.entries({ ...known, ...step.createOnlyFields, ...step.fields });
  return Object.fromEntries(all.filter(([, value]) => !isBlank(value)));
}

function fieldOfKey(key: IdentityKey): [string, FieldValue][] {
  switch (key.kind) {
    case 'pipedrive_id':
      return [];
    case 'email':
      return [['emails', [{ value: key.value, label: 'work', primary: true }]]];
    case 'phone':
      return [['phones', [{ value: key.value, label: 'work', primary: true }]]];
    case 'name':
      return [['name', key.value]];
    case 'domain':
    case 'field':
      return [[key.field, key.value]];
  }
}

/**
 * An update of such a list replaces all of it, so what is there stays, in front. Which address is
 * primary is the record's own affair unless it has none.
 */
function addTo(present: FieldValue, wanted: FieldValue): FieldValue {
  const kept = isChannels(present) ? present : [];
  const known = new Set(kept.map(channelKey));
  const added = (isChannels(wanted) ? wanted : []).filter(
    (channel) => !known.has(channelKey(channel)),
  );
  const hasPrimary = kept.some(({ primary }) => primary);
  return [
    ...kept,
    ...added.map((channel) => ({ ...channel, primary: channel.primary && !hasPrimary })),
  ];
}

/** E-mail addresses whatever their case; telephone numbers whatever stands between the digits. */
function channelKey({ value }: ChannelValue): string {
  const text = value.trim().toLowerCase();
  return text.includes('@') ? text : text.replaceAll(/[\s().-]/g, '');
}

const isChannels = (value: FieldValue): value is ChannelValue[] =>
  Array.isArray(value) && value.some((item) => typeof item === 'object');

export const isBlank = (value: FieldValue): boolean =>
  value === null || value === '' || (Array.isArray(value) && value.length === 0);

/** Equal as far as Pipedrive keeps it: order of options, derived parts and spelling of instants aside. */
export function isSameValue(one: FieldValue, other: FieldValue): boolean {
  if (isBlank(one) || isBlank(other)) return isBlank(one) && isBlank(other);
  if (Array.isArray(one) || Array.isArray(other)) {
    return Array.isArray(one) && Array.isArray(other) && isSameList(one, other);
  }
  if (isComposite(one) || isComposite(other)) {
    return isComposite(one) && isComposite(other) && isSameComposite(one, other);
  }
  return String(one) === String(other) || isSameInstant(String(one), String(other));
}

/**
 * A value as texts that say the same whenever `isSameValue` does. One without a currency is equal to
 * any, which no text can be: there the texts may differ although the values do not.
 */
export function partsOf(value: FieldValue): string[] {
  if (isBlank(value)) return [];
  if (Array.isArray(value)) return [...new Set(keysOf(value))];
  if (isComposite(value)) return [JSON.stringify(writtenPart(value))];
  const text = String(value);
  return [INSTANT.test(text) ? String(Date.parse(text)) : text];
}

type List = Extract<FieldValue, readonly unknown[]>;
type Composite = Exclude<FieldValue, List | null | string | number | boolean>;

const isComposite = (value: FieldValue): value is Composite =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const keysOf = (list: List): string[] =>
  list.map((item) => (typeof item === 'object' ? channelKey(item) : String(item))).toSorted();

const isSameList = (one: List, other: List): boolean =>
  keysOf(one).join('\n') === keysOf(other).join('\n');

/** Only what a writer can set: the parts of an address are derived, a zone's number cannot be sent. */
const writtenPart = (value: Composite) => ({
  value: String(value.value ?? ''),
  until: 'until' in value ? String(value.until ?? '') : '',
  currency: 'currency' in value ? value.currency : null,
});

function isSameComposite(one: Composite, other: Composite): boolean {
  const [a, b] = [writtenPart(one), writtenPart(other)];
  const sameCurrency = a.currency === null || b.currency === null || a.currency === b.currency;
  return a.value === b.value && a.until === b.until && sameCurrency;
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d/;

const isSameInstant = (one: string, other: string): boolean =>
  INSTANT.test(one) && INSTANT.test(other) && Date.parse(one) === Date.parse(other);

/** True when a record carries everything a create sent: it is the one, or its twin. */
export const carries = (record: Pick<PipedriveRecord, 'fields'>, sent: Fields): boolean =>
  Object.keys(decideChanges(record.fields, sent, 'update')).length === 0;
