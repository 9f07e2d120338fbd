import {
  FieldType,
  FieldValue,
  MappingPart,
  MappingSource,
  PipedriveObject,
  VariableType,
  VariableValue,
} from '@manifold/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile, merge } from './index.ts';

const code = fc.constantFrom('name', 'emails', 'constructor', 'a'.repeat(40));
const variableType = fc.constantFrom(...VariableType.options);
const part = fc.option(fc.constantFrom(...MappingPart.options), { nil: undefined });
const pipedriveObject = fc.constantFrom(...PipedriveObject.options);

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '',
    ' ',
    '__proto__',
    '2025-02-29',
    '24:00:00',
    'a@b.c',
    '1e999',
    'x'.repeat(70_000),
  ),
);
const variableValue = fc
  .oneof(
    fc.constant(null),
    text,
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.array(text),
    fc.record({ amount: fc.integer(), currency: fc.option(text) }),
    fc.record({ start: fc.option(text), end: fc.option(text) }),
  )
  .filter((value) => VariableValue.safeParse(value).success);

const end = fc.record({ object: pipedriveObject, field: code, part });
const source = fc.oneof(
  end,
  fc.record({ object: fc.constant('referral'), field: code, type: variableType }),
  fc.record({ object: fc.constant('constant'), value: variableValue, type: variableType }),
);
const target = fc.oneof(
  end,
  fc.record({
    object: fc.constantFrom('contact', 'account'),
    field: code,
    type: variableType,
    part,
  }),
);
const row = fc.record({
  id: fc.string({ minLength: 1, maxLength: 3 }),
  source,
  target,
  default: fc.option(variableValue, { nil: undefined }),
  createOnly: fc.boolean(),
  required: fc.boolean(),
});
const definition = fc.record({
  object: pipedriveObject,
  code,
  name: fc.string(),
  type: fc.constantFrom(...FieldType.options),
  custom: fc.boolean(),
  options: fc.option(
    fc.array(fc.record({ id: fc.oneof(fc.integer(), fc.string()), label: fc.string() })),
    { nil: undefined },
  ),
  readOnly: fc.boolean(),
});
const policy = fc.record({
  existing: fc.constantFrom('append' as const, 'overwrite' as const, 'ignore' as const),
  ignoreEmpty: fc.boolean(),
  createMissing: fc.boolean(),
  protectFilled: fc.boolean(),
  protected: fc.constantFrom<string[]>([], ['contact.name']),
});
const mapping = fc
  .record({
    direction: fc.constantFrom('from_pipedrive', 'to_pipedrive'),
    rows: fc.array(row, { maxLength: 12 }),
    catalogue: fc.array(definition, { maxLength: 12 }),
    policy,
  })
  .map((raw) => MappingSource.parse(raw));
const input = fc.record({
  object: fc.oneof(pipedriveObject, fc.constant('referral' as const)),
  fields: fc.dictionary(code, fc.oneof(fc.anything(), variableValue)),
});

describe('whatever the input', () => {
  it('no mapping and no record makes the engine throw, and every row is used or explained', () => {
    fc.assert(
      fc.property(mapping, input, (given, record) => {
        const { problems, map } = compile(given);
        const { losses, values } = map(record);
        const ids = given.rows.map(({ id }) => id);
        expect(problems.every(({ rowId }) => ids.includes(rowId ?? ''))).toBe(true);
        expect(losses.every(({ rowId }) => ids.includes(rowId))).toBe(true);
        const broken = Object.entries(values).flatMap(([object, filled]) => {
          const shape = object === 'contact' || object === 'account' ? VariableValue : FieldValue;
          return Object.values(filled).filter((value) => !shape.safeParse(value).success);
        });
        expect(broken).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });

  it('a merge keeps every variable it does not change, and merging again changes nothing', () => {
    const variables = fc.dictionary(fc.constantFrom('name', 'city', 'age'), variableValue);
    fc.assert(
      fc.property(variables, variables, policy, (existing, incoming, rules) => {
        const first = merge({ object: 'contact', existing, incoming, policy: rules });
        for (const [key, value] of Object.entries(existing)) {
          if (!first.changed.includes(key)) expect(first.values[key]).toEqual(value);
        }
        const again = merge({ object: 'contact', existing: first.values, incoming, policy: rules });
        expect(again.changed).toEqual([]);
      }),
    );
  });
});
