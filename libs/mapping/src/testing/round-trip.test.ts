import type { FieldDefinition, FieldValue, MappingPart, VariableType } from '@manifold/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from '../index.ts';

const policy = {
  existing: 'overwrite',
  ignoreEmpty: true,
  createMissing: true,
  protectFilled: false,
  protected: [],
} as const;
const field = (type: FieldDefinition['type'], more: Partial<FieldDefinition> = {}) => ({
  object: 'person' as const,
  code: 'f',
  name: 'F',
  type,
  custom: true,
  ...more,
});
const date: fc.Arbitrary<string> = fc
  .date({ min: new Date('1900-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
  .map((day) => day.toISOString().slice(0, 10));
const time: fc.Arbitrary<string> = fc
  .integer({ min: 0, max: 86_399 })
  .map((second) => new Date(second * 1000).toISOString().slice(11, 19));
const money = fc.record({
  value: fc.integer({ min: -1e9, max: 1e9 }),
  currency: fc.constantFrom('EUR', 'USD'),
});
const dates = fc.record({ value: date, until: fc.option(date, { nil: null }) });
const times = fc.record({
  value: time,
  until: fc.option(time, { nil: null }),
  timezoneId: fc.constant(null),
});
/** One address or number per label, as a list put together from its labels is. */
const channels = (of: (index: number) => string) =>
  fc
    .tuple(fc.subarray(['work', 'home', 'mobile', 'other'], { minLength: 1 }), fc.nat())
    .map(([labels, chosen]) =>
      labels.map((label, index) => ({
        value: of(index),
        label,
        primary: index === chosen % labels.length,
      })),
    );
const emails = channels((index) => `a${index}@example.com`);
const phones = channels((index) => `+372 555 010${index}`);
const options = [1, 2, 3].map((id) => ({ id, label: `Option ${id}` }));

interface Split {
  type: FieldDefinition['type'];
  parts: readonly MappingPart[];
  as: VariableType[];
  value: fc.Arbitrary<FieldValue>;
}

const labels = ['primary', 'work', 'home', 'mobile', 'other'] as const;

const splits: Split[] = [
  { type: 'monetary', parts: ['amount', 'currency'], as: ['number', 'text'], value: money },
  { type: 'daterange', parts: ['start', 'end'], as: ['date', 'date'], value: dates },
  { type: 'timerange', parts: ['start', 'end'], as: ['time', 'time'], value: times },
  { type: 'emails', parts: labels, as: labels.map(() => 'email'), value: emails },
  { type: 'phones', parts: labels, as: labels.map(() => 'phone'), value: phones },
];

describe('split and join', () => {
  it.each(splits)(
    'a $type split into its parts and joined again is the same',
    ({ type, parts, as, value }) => {
      const definition = field(type);
      const rows = parts.map((part, index) => ({ part, type: as[index] ?? 'text' }));
      const split = compile({
        direction: 'from_pipedrive',
        policy: { ...policy, protected: [] },
        catalogue: [definition],
        rows: rows.map(({ part, type }) => ({
          id: part,
          source: { object: 'person', field: 'f', part },
          target: { object: 'contact', field: part, type },
        })),
      });
      const join = compile({
        direction: 'to_pipedrive',
        policy: { ...policy, protected: [] },
        catalogue: [definition],
        rows: rows.map(({ part, type }) => ({
          id: part,
          source: { object: 'referral', field: part, type },
          target: { object: 'person', field: 'f', part },
        })),
      });
      fc.assert(
        fc.property(value, (given) => {
          const parted = split.map({ object: 'person', fields: { f: given } }).values.contact ?? {};
          expect(join.map({ object: 'referral', fields: parted }).values.person).toEqual({
            f: given,
          });
        }),
      );
    },
  );
});

const wholes: {
  type: FieldDefinition['type'];
  as: VariableType;
  value: fc.Arbitrary<FieldValue>;
}[] = [
  {
    type: 'varchar',
    as: 'text',
    value: fc.string({ minLength: 1, maxLength: 255 }).filter((text) => text.trim() !== ''),
  },
  { type: 'double', as: 'number', value: fc.double({ noNaN: true, noDefaultInfinity: true }) },
  { type: 'int', as: 'number', value: fc.integer() },
  { type: 'user', as: 'number', value: fc.integer({ min: 1 }) },
  { type: 'boolean', as: 'boolean', value: fc.boolean() },
  { type: 'monetary', as: 'money', value: money },
  { type: 'date', as: 'date', value: date },
  { type: 'datetime', as: 'datetime', value: fc.tuple(date, time).map(([d, t]) => `${d}T${t}Z`) },
  { type: 'time', as: 'time', value: time.map((value) => ({ value, timezoneId: null })) },
  { type: 'daterange', as: 'date_range', value: dates },
  { type: 'timerange', as: 'time_range', value: times },
  { type: 'emails', as: 'email_list', value: emails },
  { type: 'phones', as: 'phone_list', value: phones },
  { type: 'enum', as: 'option', value: fc.constantFrom(1, 2, 3) },
  {
    type: 'set',
    as: 'multiple_options',
    value: fc.uniqueArray(fc.constantFrom(1, 2, 3), { minLength: 1 }),
  },
];

describe('there and back', () => {
  it.each(wholes)('a $type that became $as and goes back is the same', ({ type, as, value }) => {
    const definition = field(type, { options });
    const there = compile({
      direction: 'from_pipedrive',
      policy: { ...policy, protected: [] },
      catalogue: [definition],
      rows: [
        {
          id: 'there',
          source: { object: 'person', field: 'f' },
          target: { object: 'contact', field: 'v', type: as },
        },
      ],
    });
    const back = compile({
      direction: 'to_pipedrive',
      policy: { ...policy, protected: [] },
      catalogue: [definition],
      rows: [
        {
          id: 'back',
          source: { object: 'referral', field: 'v', type: as },
          target: { object: 'person', field: 'f' },
        },
      ],
    });
    fc.assert(
      fc.property(value, (given) => {
        const mapped = there.map({ object: 'person', fields: { f: given } });
        expect(mapped.losses).toEqual([]);
        const returned = back.map({ object: 'referral', fields: mapped.values.contact ?? {} });
        expect(returned.values.person).toEqual({ f: given });
      }),
    );
  });
});
