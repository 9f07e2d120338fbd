import type { FieldDefinition, FieldType, FieldValue, PipedriveObject } from '@manifold/contracts';
import { isValueOf } from '@manifold/mapping';

/** What a type of field takes, in words, and whether a value is that. */
export interface Shape {
  fits: (value: FieldValue, field: FieldDefinition) => boolean;
  takes: string;
  /** What a person can give instead. */
  give: string;
}

const SHORT_TEXT = 255;
const LONG_TEXT = 65_535;
/** HTML of a note. */
const NOTE_TEXT = 100_000;

/** These are written as version 1 of the API has it: every value as text or number, its parts beside it. */
const isFlat = ({ object }: FieldDefinition): boolean => object === 'lead' || object === 'note';

export const mostCharacters = ({ object, code, type }: FieldDefinition): number =>
  object === 'note' && code === 'content' ? NOTE_TEXT : type === 'text' ? LONG_TEXT : SHORT_TEXT;

const isDate = (value: unknown): boolean => isValueOf('date', value);
const isTime = (value: unknown): boolean =>
  typeof value === 'string' && /^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$/.test(value);

const INSTANT = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?$/;
const isInstant = (value: FieldValue): boolean =>
  typeof value === 'string' && INSTANT.test(value) && isDate(value.slice(0, 10));

const isWholeAboveZero = (value: FieldValue): boolean =>
  typeof value === 'number' && Number.isSafeInteger(value) && value > 0;

const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

const currencies = new Set(Intl.supportedValuesOf('currency'));

/** Only a deal is written without a currency; anything else would be refused, or cleared. */
function isMoney(value: FieldValue, { object, code }: FieldDefinition): boolean {
  if (!isPart(value) || !('currency' in value) || !Number.isFinite(value.value)) return false;
  if (value.currency === null) return object === 'deal' && code === 'value';
  return currencies.has(value.currency);
}

type Composite = Exclude<FieldValue, null | string | number | boolean | readonly unknown[]>;

const isPart = (value: FieldValue): value is Composite =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isRangeOf =
  (isEnd: (value: unknown) => boolean) =>
  (value: FieldValue): boolean => {
    if (!isPart(value) || !('until' in value)) return false;
    const ends = [value.value, value.until].filter((end) => end !== null);
    return ends.length > 0 && ends.every(isEnd);
  };

const isChannelList = (value: FieldValue): boolean => {
  if (!Array.isArray(value)) return false;
  const channels = value.filter((item) => typeof item === 'object');
  return channels.length === value.length && channels.filter(({ primary }) => primary).length <= 1;
};

const text: Shape = {
  fits: (value) => typeof value === 'string',
  takes: 'text',
  give: 'Give text, in quotes also where it is digits.',
};
const pointer = (what: string): Shape => ({
  fits: isWholeAboveZero,
  takes: `the id of ${what}, a whole number`,
  give: `Give the id Pipedrive has for ${what}, as a number without quotes, for example 12.`,
});
const channels = (what: string): Shape => ({
  fits: isChannelList,
  takes: `a list of ${what}, of which at most one is primary`,
  give: 'Give a list of `{ "value": …, "label": "work", "primary": true }`, also for a single one.',
});

const shapes: Partial<Record<FieldType, Shape>> = {
  varchar: text,
  varchar_auto: text,
  phone: text,
  text,
  int: {
    fits: (value) => typeof value === 'number' && Number.isSafeInteger(value),
    takes: 'a whole number',
    give: 'Give a whole number without quotes, for example 12.',
  },
  double: {
    fits: (value) => typeof value === 'number' && Number.isFinite(value),
    takes: 'a number',
    give: 'Give a number without quotes, with a point before the fraction, for example 12.5.',
  },
  boolean: {
    fits: (value, field) =>
      typeof value === 'boolean' || (isFlat(field) && (value === 0 || value === 1)),
    takes: 'true or false',
    give: 'Give true or false, without quotes.',
  },
  monetary: {
    fits: isMoney,
    takes: 'an amount with its currency',
    give: 'Give `{ "value": 12.5, "currency": "EUR" }`, with the ISO 4217 code of the currency in capitals.',
  },
  date: {
    fits: isDate,
    takes: 'a date of the calendar',
    give: 'Give it as YYYY-MM-DD, for example 2026-12-31.',
  },
  datetime: {
    fits: isInstant,
    takes: 'an instant',
    give: 'Give it with its zone, for example 2026-12-31T10:00:00Z.',
  },
  daterange: {
    fits: isRangeOf(isDate),
    takes: 'two dates',
    give: 'Give `{ "value": "2026-12-01", "until": "2026-12-31" }`.',
  },
  time: {
    fits: (value) => isPart(value) && 'timezoneId' in value && isTime(value.value),
    takes: 'a time of day',
    give: 'Give `{ "value": "10:00:00", "timezoneId": null }`.',
  },
  timerange: {
    fits: isRangeOf(isTime),
    takes: 'two times of day',
    give: 'Give `{ "value": "10:00:00", "until": "12:00:00", "timezoneId": null }`.',
  },
  address: {
    fits: (value, field) =>
      (isPart(value) && 'country' in value) || (isFlat(field) && typeof value === 'string'),
    takes: 'an address',
    give: 'Give an object with the whole address in `value` and null for every part: Pipedrive works the parts out.',
  },
  emails: channels('e-mail addresses'),
  phones: channels('telephone numbers'),
  user: pointer('a user'),
  org: pointer('an organization'),
  people: pointer('a person'),
  deal: pointer('a deal'),
  project: pointer('a project'),
  product: pointer('a product'),
  activity: pointer('an activity'),
  pipeline: pointer('a pipeline'),
  stage: pointer('a stage'),
  projects_board: pointer('a board of projects'),
  projects_phase: pointer('a phase of projects'),
  lead: {
    fits: (value) => typeof value === 'string' && UUID.test(value),
    takes: 'the id of a lead, a UUID',
    give: 'Give the id Pipedrive has for the lead, for example adf21080-0e10-11eb-879b-05d71fb426ec.',
  },
};

/** What a field takes; undefined where nobody can tell, or where its options decide. */
export const shapeOf = ({ type }: FieldDefinition): Shape | undefined => shapes[type];

/** What Pipedrive has no record without. */
const names: Partial<Record<PipedriveObject, string>> = {
  person: 'name',
  organization: 'name',
  product: 'name',
  deal: 'title',
  lead: 'title',
  note: 'content',
};

export const isName = ({ object, code }: FieldDefinition): boolean => names[object] === code;
