import { readdirSync, readFileSync } from 'node:fs';
import { MappingSource, VariableValue } from '@manifold/contracts';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { compile, merge } from './index.ts';

const Fixture = z.strictObject({
  rule: z.string(),
  mapping: MappingSource,
  input: z.object({
    object: z.enum(['person', 'organization', 'lead', 'referral']),
    fields: z.record(z.string(), z.unknown()),
  }),
  output: z.unknown(),
  merge: z
    .strictObject({
      object: z.enum(['contact', 'account']),
      existing: z.record(z.string(), VariableValue).nullable(),
      result: z.unknown(),
    })
    .optional(),
});

const folder = new URL('../fixtures/', import.meta.url);
const fixtures = readdirSync(folder).map((file) => ({
  file,
  ...Fixture.parse(JSON.parse(readFileSync(new URL(file, folder), 'utf8'))),
}));

describe('mappings, by example', () => {
  it.each(fixtures)('$rule ($file)', ({ mapping, input, output, ...expected }) => {
    const { problems, map } = compile(mapping);
    const mapped = map(input);
    const found = problems.map(({ rowId, code }) => ({ rowId, code }));
    expect({ ...mapped, problems: found }).toEqual(output);
    if (expected.merge === undefined) return;
    const { object, existing, result } = expected.merge;
    const incoming = mapped.values[object] ?? {};
    expect(
      merge({ object, existing: existing ?? undefined, incoming, policy: mapping.policy }),
    ).toEqual(result);
  });

  it('at least 30 of them exist', () => {
    expect(fixtures.length).toBeGreaterThanOrEqual(30);
  });
});
