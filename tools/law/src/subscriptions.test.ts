import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { allEvents } from '@manifold/contracts';
import {
  buildSchema,
  type ConstDirectiveNode,
  getNullableType,
  type GraphQLField,
  valueFromASTUntyped,
} from 'graphql';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';

const ROOT = join(import.meta.dirname, '../../..');
const supergraph = readFileSync(join(ROOT, 'apps/gateway/supergraph.graphql'), 'utf8');
const schema = buildSchema(supergraph, { assumeValid: true });
const fields = Object.values(schema.getSubscriptionType()?.getFields() ?? {});
const Follows = z.strictObject({
  query: z.string(),
  events: z.array(z.string()).min(1),
  argument: z.string().optional(),
  key: z.string().optional(),
});

const valuesOf = (directive: ConstDirectiveNode) =>
  Object.fromEntries(
    (directive.arguments ?? []).map(({ name, value }) => [name.value, valueFromASTUntyped(value)]),
  );
const followsOf = ({ astNode }: GraphQLField<unknown, unknown>) =>
  (astNode?.directives ?? []).filter(({ name }) => name.value === 'follows').map(valuesOf);
const argumentsOf = ({ args }: GraphQLField<unknown, unknown>) =>
  args.map(({ name, type }) => `${name}: ${String(getNullableType(type))}`).toSorted();

test('there are subscriptions to look at', () => {
  expect(fields.length).toBeGreaterThan(0);
});

describe.each(fields.map((field) => [field.name, field] as const))('%s', (_, field) => {
  const follows = z.tuple([Follows]).parse(followsOf(field))[0];
  const twin = schema.getQueryType()?.getFields()[follows.query];

  test('has a query of the same type and the same arguments', () => {
    expect(String(twin?.type)).toBe(String(field.type));
    expect(twin && argumentsOf(twin)).toEqual(argumentsOf(field));
  });

  test('follows events that exist', () => {
    expect(follows.events.filter((name) => !allEvents.has(name))).toEqual([]);
  });

  test('names its thing by an argument it has and a key every event has', () => {
    const { argument, key } = follows;
    expect(argument === undefined).toBe(key === undefined);
    if (argument === undefined || key === undefined) return;
    expect(field.args.map(({ name }) => name)).toContain(argument);
    const without = follows.events.filter((name) => !payloadKeys(name).includes(key));
    expect(without).toEqual([]);
  });
});

function payloadKeys(name: string): string[] {
  const file = join(ROOT, `libs/contracts/schemas/${name}.json`);
  const Schema = z.object({
    properties: z.object({ payload: z.object({ properties: z.record(z.string(), z.unknown()) }) }),
  });
  return Object.keys(
    Schema.parse(JSON.parse(readFileSync(file, 'utf8'))).properties.payload.properties,
  );
}
