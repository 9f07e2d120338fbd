import type { FieldDefinition, FieldValue, MappingRow } from '@manifold/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from './index.ts';

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
const options = [1, 2, 3].map((id) => ({ id, label: `Option ${id}` }));

interface Split {
  type: FieldDefinition['type'];
  definition: FieldDefinition;
  parts: [MappingRow['target']['part'], 'number' | 'text' | 'date'][];
  value: fc.Arbitrary<FieldValue>;
}

const splits: Split[] = [
  {
    type: 'monetary',
    definition: field('monetary'),
    parts: [
      ['amount', 'number'],
      ['currency', 'text'],
    ],
    value: fc.record({
      value: fc.integer({ min: -1e9, max: 1e9 }),
      currency: fc.constantFrom('EUR', 'USD'),
    }),
  },
  {
    type: 'daterange',
    definition: field('daterange'),
    parts: [
      ['start', 'date'],
      ['end', 'date'],
    ],
    value: fc.record({ value: date, until: fc.option(date, { nil: null }) }),
  },
];

describe('split and join', () => {
  it.each(splits)(
    'a $type split into its parts and joined again is the same',
    ({ definition, parts, value }) => {
      const split = compile({
        direction: 'from_pipedrive',
        policy: { ...policy, protected: [] },
        catalogue: [definition],
        rows: parts.map(([part, type]) => ({
          id: `${part}`,
          source: { object: 'person', field: 'f', part },
          target: { object: 'contact', field: `${part}`, type },
        })),
      });
      const join = compile({
        direction: 'to_pipedrive',
        policy: { ...policy, protected: [] },
        catalogue: [definition],
        rows: parts.map(([part, type]) => ({
          id: `${part}`,
          source: { object: 'referral', field: `${part}`, type },
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
  as: 'text' | 'number' | 'date' | 'option' | 'multiple_options';
  value: fc.Arbitrary<FieldValue>;
}[] = [
  {
    type: 'varchar',
    as: 'text',
    value: fc.string({ minLength: 1, maxLength: 255 }).filter((text) => text.trim() !== ''),
  },
  { type: 'double', as: 'number', value: fc.double({ noNaN: true, noDefaultInfinity: true }) },
  { type: 'date', as: 'date', value: date },
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
