import type {
  AddressValue,
  ChannelValue,
  FieldDefinition,
  FieldType,
  FieldValue,
  OptionId,
  PipedriveObject,
  PipedriveRecord,
} from '@manifold/contracts';
import { Refusal } from '@manifold/errors';
import type { RecordObject } from '@manifold/pipedrive';
import { isReadable } from '../rules.ts';

/** One field of a record as somebody is shown it. */
export interface ShownValue {
  code: string;
  name: string;
  type: FieldType;
  text: string | null;
  number: number | null;
  boolean: boolean | null;
  options: { id: string; label: string }[];
  money: { amount: string; currency: string } | null;
  entries: ChannelValue[];
  pipedriveId: string | null;
}

/** The named fields of a record in the order they were named; those the source did not hold are empty. */
export function showValues(
  record: PipedriveRecord,
  codes: readonly string[],
  definitions: readonly FieldDefinition[],
): ShownValue[] {
  const known = new Map(definitions.map((definition) => [definition.code, definition]));
  return codes.map((code) => {
    const { name = code, type = 'unknown', options = [] } = known.get(code) ?? {};
    const labels = new Map(options.map(({ id, label }) => [String(id), label]));
    return { ...empty, code, name, type, ...shown(record.fields[code] ?? null, { type, labels }) };
  });
}

const empty = {
  text: null,
  number: null,
  boolean: null,
  options: [],
  money: null,
  entries: [],
  pipedriveId: null,
} satisfies Omit<ShownValue, 'code' | 'name' | 'type'>;

type Shape = { type: FieldType; labels: ReadonlyMap<string, string> };

const chosen: ReadonlySet<FieldType> = new Set([
  ...(['enum', 'set', 'status', 'visible_to', 'varchar_options'] as const),
  ...(['billing_frequency', 'price_list'] as const),
]);
const pointing: ReadonlySet<FieldType> = new Set([
  ...(['user', 'org', 'people', 'deal', 'lead', 'project', 'product', 'activity'] as const),
  ...(['pipeline', 'stage', 'projects_board', 'projects_phase'] as const),
]);

function shown(value: FieldValue, { type, labels }: Shape): Partial<ShownValue> {
  if (value === null) return {};
  if (typeof value === 'boolean') return { boolean: value, text: value ? 'Yes' : 'No' };
  if (typeof value === 'object') return shownWhole(value, labels);
  if (chosen.has(type)) return shownOptions([value], labels);
  if (pointing.has(type)) return { pipedriveId: String(value), text: String(value) };
  return { text: String(value), number: typeof value === 'number' ? value : null };
}

function shownWhole(
  value: Exclude<FieldValue, null | string | number | boolean>,
  labels: Shape['labels'],
): Partial<ShownValue> {
  if (Array.isArray(value)) {
    if (value.every((item) => typeof item === 'object')) return shownEntries(value);
    return shownOptions(
      value.filter((item) => typeof item !== 'object'),
      labels,
    );
  }
  if ('currency' in value) return shownMoney(value.value, value.currency);
  if ('until' in value) {
    return { text: [value.value, value.until].filter((part) => part !== null).join(' – ') };
  }
  return { text: wholeText(value) };
}

const wholeText = (value: AddressValue | { value: string }): string =>
  'formatted_address' in value ? (value.formatted_address ?? value.value) : value.value;

function shownEntries(entries: ChannelValue[]): Partial<ShownValue> {
  const main = entries.find(({ primary }) => primary) ?? entries[0];
  return { entries, text: main?.value ?? null };
}

function shownOptions(ids: readonly OptionId[], labels: Shape['labels']): Partial<ShownValue> {
  // a choice somebody deleted has no label any more
  const options = ids.map((id) => ({
    id: String(id),
    label: labels.get(String(id)) ?? String(id),
  }));
  return { options, text: options.map(({ label }) => label).join(', ') };
}

const shownMoney = (amount: number, currency: string | null): Partial<ShownValue> =>
  currency === null
    ? { text: String(amount), number: amount }
    : {
        text: `${amount} ${currency}`,
        number: amount,
        money: { amount: String(amount), currency },
      };

/** The kinds that can be read one by one; users are no records. */
export function requireRecords(object: PipedriveObject): RecordObject {
  if (isReadable(object)) return object;
  throw new Refusal('invalid', 'Users are no records', {
    reason: 'invalid_input',
    field: 'object',
    fix: 'Name another kind of record.',
  });
}

export const refuseAbsent = (object: string, id: string): Refusal =>
  new Refusal('not_found', `There is no ${object} ${id} this connection can see`, {
    reason: 'record_not_found',
    field: 'id',
    fix: 'It may be deleted, merged, or invisible to the user who connected.',
  });
