import type { CreatableType } from '@manifold/pipedrive';

/** The type a field for some values should have, and why. */
export interface TypeSuggestion {
  type: CreatableType;
  /** Choices, when the values are a few that repeat. */
  options?: string[] | undefined;
  reason: string;
}

const LONGEST_VARCHAR = 255;
const MOST_OPTIONS = 20;

/** What sources call their types, and what that is in Pipedrive. */
const bySourceType: Record<string, CreatableType> = {
  'large text': 'text',
  longtext: 'text',
  object: 'text',
  json: 'text',
  array: 'text',
  list: 'text',
  text: 'varchar',
  string: 'varchar',
  url: 'varchar',
  email: 'varchar',
  uuid: 'varchar',
  phone: 'phone',
  number: 'double',
  numerical: 'double',
  integer: 'double',
  int: 'double',
  float: 'double',
  double: 'double',
  decimal: 'double',
  monetary: 'monetary',
  money: 'monetary',
  currency: 'monetary',
  date: 'date',
  datetime: 'date',
  timestamp: 'date',
  time: 'time',
  address: 'address',
  boolean: 'enum',
  bool: 'enum',
};

const yesNo = ['Yes', 'No'];

/** By what the source calls the type, else by the sample values. Text when neither says more. */
export function suggestType(of: {
  sourceType?: string | undefined;
  samples?: readonly string[] | undefined;
}): TypeSuggestion {
  const samples = (of.samples ?? []).map((sample) => sample.trim()).filter((text) => text !== '');
  const named = bySourceType[of.sourceType?.trim().toLowerCase() ?? ''];
  if (named !== undefined) {
    const isTooLong = named === 'varchar' && samples.some(isLong);
    if (isTooLong) return suggestion('text', 'some values are longer than 255 characters');
    return suggestion(named, 'the type of the source', named === 'enum' ? yesNo : undefined);
  }
  return bySamples(samples);
}

const suggestion = (type: CreatableType, reason: string, options?: string[]): TypeSuggestion => ({
  type,
  options,
  reason,
});

function bySamples(samples: readonly string[]): TypeSuggestion {
  if (samples.length === 0) return suggestion('varchar', 'nothing is known of the values');
  if (samples.some(isLong)) {
    return suggestion('text', 'some values are longer than 255 characters');
  }
  for (const [type, shape, reason] of shapes) {
    if (samples.every((sample) => shape.test(sample))) return suggestion(type, reason);
  }
  if (samples.every((sample) => /^(true|false|yes|no)$/i.test(sample))) {
    return suggestion('enum', 'every value is yes or no', yesNo);
  }
  const distinct = [...new Set(samples)];
  const repeats = samples.length >= 3 * distinct.length && distinct.length <= MOST_OPTIONS;
  if (repeats) return suggestion('enum', 'a few values repeat', distinct);
  return suggestion('varchar', 'the values are short texts');
}

const isLong = (text: string): boolean => text.length > LONGEST_VARCHAR;

const shapes: [CreatableType, RegExp, string][] = [
  // a number that begins with 0 is a code
  ['double', /^-?(0|[1-9]\d{0,14})([.,]\d{1,10})?$/, 'every value is a number'],
  ['date', /^\d{4}-\d\d-\d\d([T ][\d:.]{4,12}(Z|[+-]\d\d:?\d\d)?)?$/, 'every value is a date'],
  ['time', /^\d\d:\d\d(:\d\d)?$/, 'every value is a time of day'],
  [
    'monetary',
    /^([A-Z]{3} |[€$£])-?\d[\d .,]{0,20}$|^-?\d[\d .,]{0,20} [A-Z]{3}$/,
    'every value is an amount of money',
  ],
  ['phone', /^\+\d[\d ()-]{5,18}$/, 'every value is a phone number'],
];
