import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { allEvents, ChangeSetFinished, StepSettled } from './index.ts';
import { eventEnum } from './open-enum.ts';

const NEWER = 'a_value_of_next_year';

test.each([...allEvents.values()])(
  '$name is read whatever values its fields get later',
  (event) => {
    // its name is what it is chosen by
    expect(closedIn(event.envelope)).toEqual(['name']);
  },
);

test('what is closed is found, however deep, and what is open is not taken for it', () => {
  const one = z.enum(['a', 'b']);
  const nested = z.object({
    plain: one,
    open: eventEnum(one),
    list: z.array(z.object({ kind: one.optional(), other: eventEnum(one).optional() })),
    either: z.union([z.literal(75), z.string()]),
  });
  expect(closedIn(nested)).toEqual(['plain', 'list.kind', 'either']);
});

test('a state of a later release is read as unknown, and told as such', () => {
  const settled = example('connections.step_settled.v1');
  const newer = { ...settled, object: NEWER, outcome: NEWER, operation: NEWER };
  expect(StepSettled.envelope.shape.payload.parse(newer)).toMatchObject({
    outcome: 'unknown',
    operation: 'unknown',
  });
  expect(StepSettled.summarise(newer)).toMatchObject({ outcome: 'unknown', record: undefined });
  const finished = { ...example('connections.change_set_finished.v1'), outcome: NEWER };
  expect(ChangeSetFinished.summarise(finished)).toMatchObject({ outcome: 'unknown' });
});

const example = (name: string): object =>
  z
    .object({ payload: z.looseObject({}) })
    .parse(JSON.parse(readFileSync(new URL(`../examples/${name}.json`, import.meta.url), 'utf8')))
    .payload;

/** Paths of the fields that take no value but those of today. */
function closedIn(schema: z.core.$ZodType, path: readonly string[] = []): string[] {
  const inside = (inner: z.core.$ZodType, name: readonly string[] = []) =>
    closedIn(inner, [...path, ...name]);
  const { def } = schema._zod as z.core.$ZodTypes['_zod'];
  if (def.type === 'enum' || def.type === 'literal') return [path.join('.')];
  if (def.type === 'object') {
    return Object.entries(def.shape).flatMap(([name, inner]) => inside(inner, [name]));
  }
  if (def.type === 'array') return inside(def.element);
  if (def.type === 'record') return inside(def.valueType);
  if (def.type === 'union') return [...new Set(def.options.flatMap((option) => inside(option)))];
  if (def.type === 'pipe') {
    return z.core.safeParse(schema, NEWER).success ? [] : inside(def.out);
  }
  return 'innerType' in def ? inside(def.innerType) : [];
}
