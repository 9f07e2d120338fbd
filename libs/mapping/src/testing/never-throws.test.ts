import {
  FieldType,
  FieldValue,
  MappingPart,
  MappingSource,
  Permission,
  PermissionChannel,
  PipedriveObject,
  VariableType,
  VariableValue,
} from '@manifold/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile, decidePermissions, merge } from '../index.ts';

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
  fc.record({
    object: fc.constant('calculated'),
    expression: fc.constant('x'),
    type: variableType,
  }),
);
const target = fc.oneof(
  end,
  fc.record({
    object: fc.constantFrom('contact', 'account'),
    field: code,
    type: variableType,
    part,
  }),
  fc.record({
    object: fc.constant('permission'),
    field: fc.constantFrom(...PermissionChannel.options),
  }),
);
const rowId = fc.string({ minLength: 1, maxLength: 3 });
const row = fc.record({
  id: rowId,
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
const calculated = fc.dictionary(
  rowId,
  fc.oneof(
    fc.record({
      outcome: fc.constant('value' as const),
      value: fc.oneof(fc.anything(), variableValue),
    }),
    fc.constant({ outcome: 'error' as const }),
  ),
);
const input = fc.record({
  object: fc.oneof(pipedriveObject, fc.constant('referral' as const)),
  fields: fc.dictionary(code, fc.oneof(fc.anything(), variableValue)),
});

const shapes: Readonly<Record<string, { safeParse: (value: unknown) => { success: boolean } }>> = {
  contact: VariableValue,
  account: VariableValue,
  permission: Permission.nullable(),
};

describe('whatever the input', () => {
  it('no mapping and no record makes the engine throw, and every row is used or explained', () => {
    fc.assert(
      fc.property(mapping, input, calculated, (given, record, outcomes) => {
        const { problems, map } = compile(given);
        const { losses, values } = map(record, { calculated: outcomes });
        const ids = given.rows.map(({ id }) => id);
        expect(problems.every(({ rowId }) => ids.includes(rowId ?? ''))).toBe(true);
        expect(losses.every(({ rowId }) => ids.includes(rowId))).toBe(true);
        const broken = Object.entries(values).flatMap(([object, filled]) => {
          const shape = shapes[object] ?? FieldValue;
          return Object.values(filled).filter((value) => !shape.safeParse(value).success);
        });
        expect(broken).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });

  it('a record mapped twice gives the same, and is not touched', () => {
    fc.assert(
      fc.property(mapping, input, calculated, (given, record, outcomes) => {
        const before = structuredClone(given);
        const { map } = compile(given);
        const once = map(record, { calculated: outcomes });
        const copy = structuredClone(once);
        expect(map(record, { calculated: outcomes })).toEqual(once);
        expect(compile(given).map(record, { calculated: outcomes })).toEqual(once);
        expect(once).toEqual(copy);
        expect(given).toEqual(before);
      }),
    );
  });

  it('what was stated about a permission stays, and deciding again decides nothing (WX-14)', () => {
    const permission = fc.constantFrom(...Permission.options);
    const permissions = fc.record(
      { email: permission, sms: permission, viber: permission },
      { requiredKeys: [] },
    );
    const question = fc.record({
      existing: fc.option(permissions, { nil: undefined }),
      mapped: fc.option(permissions, { nil: undefined }),
      marketingStatus: fc.option(fc.string()),
      defaults: permissions,
      policy,
    });
    fc.assert(
      fc.property(question, (asked) => {
        const first = decidePermissions(asked);
        expect(first.permissions).toMatchObject(asked.existing ?? {});
        const again = decidePermissions({ ...asked, existing: first.permissions });
        expect(again.permissions).toEqual(first.permissions);
        expect(again.decided).toEqual([]);
      }),
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
