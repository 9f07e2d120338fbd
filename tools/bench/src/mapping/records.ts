import type { FieldType } from '@manifold/contracts';
import { fields } from './mapping-source.ts';

/** A person by the codes of its fields. */
export type Person = Record<string, unknown>;

/** Persons of 40 fields: most values are right, some empty, a few broken. The same for the same seed. */
export function createPersons(count: number, seed: number): Person[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => createPerson(random));
}

type Random = (below: number) => number;

/** mulberry32: small, and good enough to vary records. */
function createRandom(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const BROKEN: readonly unknown[] = [
  ...['2025-02-29', '24:00', ' ', '', 99, -1, Number.NaN, true, [], [99], {}],
  ...[
    { value: 'x', currency: 1 },
    { value: null, until: 'soon' },
    { value: '9', timezoneId: 2 },
  ],
  ...[[{ value: 1 }], { value: 5 }, { value: 1, currency: null }, { value: 2, currency: '' }],
];

/** Pipedrive gives every field, null when it is unset; a few sources leave some out. Everybody has a name. */
function createPerson(random: Random): Person {
  const person: Person = {};
  const isPartial = random(20) === 0;
  for (const { code, type } of fields) {
    const fate = code === 'name' ? 0 : random(100);
    if (isPartial && fate % 3 === 1) continue;
    if (fate < 88) person[code] = createValue(type, random);
    else person[code] = fate < 97 ? null : BROKEN[random(BROKEN.length)];
  }
  return person;
}

const two = (number: number): string => String(number).padStart(2, '0');
const dateOf = (random: Random): string =>
  `${1950 + random(100)}-${two(1 + random(12))}-${two(1 + random(28))}`;
const timeOf = (random: Random): string =>
  `${two(random(24))}:${two(random(60))}:${two(random(60))}`;
const channelsOf = (random: Random, of: (index: number) => string) =>
  Array.from({ length: 1 + random(3) }, (_, index) => ({
    value: of(index),
    label: index === 0 ? 'work' : 'home',
    primary: index === 0,
  }));

const addressOf = (random: Random): unknown => ({
  value: `Street ${random(100)}, Tallinn`,
  country: 'Estonia',
  admin_area_level_1: null,
  admin_area_level_2: null,
  locality: random(5) === 0 ? null : 'Tallinn',
  sublocality: null,
  route: 'Street',
  street_number: null,
  subpremise: null,
  postal_code: null,
  formatted_address: null,
});

const someOption = (random: Random): number => 1 + random(3);
const someId = (random: Random): number => 1 + random(100_000);
const someNumber = (random: Random): number => random(1_000_000) / 100;

/** Values a field of a type may hold; the others hold texts. */
const makers: Partial<Record<FieldType, (random: Random) => unknown>> = {
  emails: (random) => channelsOf(random, (index) => `person${random(1000)}.${index}@example.com`),
  phones: (random) => channelsOf(random, (index) => `+372 555 ${random(1000)}${index}`),
  phone: (random) => `+372 555 ${random(10_000)}`,
  date: dateOf,
  datetime: (random) => `${dateOf(random)}T${timeOf(random)}Z`,
  daterange: (random) => ({
    value: dateOf(random),
    until: random(4) === 0 ? null : dateOf(random),
  }),
  time: (random) => ({ value: timeOf(random), timezoneId: random(2) === 0 ? null : 277 }),
  timerange: (random) => ({ value: timeOf(random), until: timeOf(random), timezoneId: null }),
  monetary: (random) => ({
    value: someNumber(random),
    currency: random(9) === 0 ? null : 'EUR',
  }),
  set: (random) => Array.from({ length: 1 + random(3) }, () => someOption(random)),
  enum: someOption,
  visible_to: someOption,
  status: (random) => ['subscribed', 'unsubscribed', 'no_consent', 'archived'][random(4)],
  boolean: (random) => random(2) === 0,
  double: someNumber,
  address: addressOf,
  int: someId,
  org: someId,
  user: someId,
};

const createValue = (type: FieldType, random: Random): unknown =>
  makers[type]?.(random) ?? `Text ${random(1_000_000)}`;
