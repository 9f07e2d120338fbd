import type { ChannelValue, VariableType, VariableValue } from '@manifold/contracts';
import { isEmpty } from '@manifold/mapping';
import type { VariableDefinition } from '../mappings/rules.ts';
import type { Values } from '../store.ts';

/** A variable as the graph shows it: `text` for everybody, the typed field for whoever needs it. */
export interface VariableView {
  key: string;
  label: string;
  type: Uppercase<VariableType>;
  text: string;
  number: number | null;
  boolean: boolean | null;
  date: string | null;
  options: readonly string[] | null;
  money: { amount: string; currency: string } | null;
  range: { start: string | null; end: string | null } | null;
  channels: readonly ChannelValue[] | null;
}

type Definitions = ReadonlyMap<string, VariableDefinition>;

/** The variables that hold something, those of the mappings first and in their order. */
export function viewVariables(values: Values, definitions: Definitions): VariableView[] {
  const keys = [...new Set([...definitions.keys(), ...Object.keys(values)])];
  return keys.flatMap((key) => viewVariable(key, values, definitions) ?? []);
}

/** Undefined: the variable holds nothing. */
export function viewVariable(
  key: string,
  values: Values,
  definitions: Definitions,
): VariableView | undefined {
  const value = values[key] ?? null;
  if (isEmpty(value)) return undefined;
  // a variable no mapping names any more shows itself by its value
  const { label, type } = definitions.get(key) ?? { label: key, type: typeOf(value) };
  return {
    key,
    label,
    type: upper(type),
    text: textOf(value),
    number: numberOf(value),
    boolean: typeof value === 'boolean' ? value : null,
    date: typeof value === 'string' && (type === 'date' || type === 'datetime') ? value : null,
    options: optionsOf(value, type),
    money: moneyOf(value),
    range: typeof value === 'object' && value !== null && 'start' in value ? value : null,
    channels: isChannels(value) ? value : null,
  };
}

const upper = (type: VariableType): Uppercase<VariableType> => UPPER[type];

const UPPER: { [Type in VariableType]: Uppercase<Type> } = {
  text: 'TEXT',
  number: 'NUMBER',
  boolean: 'BOOLEAN',
  date: 'DATE',
  datetime: 'DATETIME',
  time: 'TIME',
  option: 'OPTION',
  multiple_options: 'MULTIPLE_OPTIONS',
  money: 'MONEY',
  date_range: 'DATE_RANGE',
  time_range: 'TIME_RANGE',
  email: 'EMAIL',
  email_list: 'EMAIL_LIST',
  phone: 'PHONE',
  phone_list: 'PHONE_LIST',
};

function typeOf(value: VariableValue): VariableType {
  if (typeof value === 'number') return 'number';
  if (typeof value === 'boolean') return 'boolean';
  if (value === null || typeof value === 'string') return 'text';
  if (Array.isArray(value)) return isChannels(value) ? 'email_list' : 'multiple_options';
  return 'amount' in value ? 'money' : 'date_range';
}

function textOf(value: VariableValue): string {
  if (value === null) return '';
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) {
    return value.map((entry) => (typeof entry === 'string' ? entry : entry.value)).join(', ');
  }
  if ('amount' in value) return [value.amount, value.currency ?? ''].join(' ').trim();
  return `${value.start ?? ''} – ${value.end ?? ''}`.trim();
}

function numberOf(value: VariableValue): number | null {
  if (typeof value === 'number') return value;
  return typeof value === 'object' && value !== null && 'amount' in value ? value.amount : null;
}

function optionsOf(value: VariableValue, type: VariableType): readonly string[] | null {
  if (type === 'option' && typeof value === 'string') return [value];
  return isTexts(value) ? value : null;
}

function moneyOf(value: VariableValue): VariableView['money'] {
  if (typeof value !== 'object' || value === null || !('amount' in value)) return null;
  return value.currency === null
    ? null
    : { amount: String(value.amount), currency: value.currency };
}

const isTexts = (value: VariableValue): value is string[] =>
  Array.isArray(value) && value.every((entry) => typeof entry === 'string');

const isChannels = (value: VariableValue): value is ChannelValue[] =>
  Array.isArray(value) && value.length > 0 && value.every((entry) => typeof entry !== 'string');

/** Every address of a contact: the list where there is one, else the single one. */
export function channelsOf(
  channel: 'email' | 'phone',
  { values, single }: { values: Values; single: string },
  definitions: Definitions,
): ChannelValue[] {
  const lists = [...definitions.values()].filter(({ type }) => type === `${channel}_list`);
  const listed = lists.flatMap(({ key }) => {
    const value = values[key] ?? null;
    return isChannels(value) ? value : [];
  });
  if (listed.length > 0) return listed;
  return single === '' ? [] : [{ value: single, label: '', primary: true }];
}
