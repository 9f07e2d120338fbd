import { readFileSync, readdirSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { allEvents } from './all-events.ts';

const folder = (name: string) => new URL(`../${name}/`, import.meta.url);
const read = (name: string, file: string): unknown =>
  JSON.parse(readFileSync(new URL(file, folder(name)), 'utf8'));
const ajv = new Ajv2020({ strict: true, allErrors: true });
formats.default(ajv);

const names = [...allEvents.keys()];
const fileOf = (name: string) => `${name}.json`;
const Schema = z.record(z.string(), z.unknown());
const Example = z.looseObject({ payload: z.record(z.string(), z.unknown()) });

describe.each(names)('%s', (name) => {
  const validate = ajv.compile(Schema.parse(read('schemas', fileOf(name))));
  const example = Example.parse(read('examples', fileOf(name)));

  test('its example is still understood, and nothing of it is dropped', () => {
    expect(allEvents.get(name)?.envelope.parse(example)).toEqual(example);
  });

  test('its example keeps to the published schema', () => {
    validate(example);
    expect(validate.errors ?? []).toEqual([]);
  });

  test('its summary tells what it is about', () => {
    const summary = allEvents.get(name)?.summarise(example.payload);
    expect(summary?.target.type).toMatch(/^[A-Z][A-Za-z]+$/);
    expect(summary?.target.id).not.toBe('');
  });

  test('an event without a workspace or of another name is refused by both', () => {
    for (const wrong of [
      { ...example, workspaceId: 'acme' },
      { ...example, name: 'other.v1' },
    ]) {
      expect(validate(wrong)).toBe(false);
      expect(allEvents.get(name)?.envelope.safeParse(wrong).success).toBe(false);
    }
  });
});

test.each(['schemas', 'examples'])('there is one file per event in %s, and no other', (name) => {
  expect(readdirSync(folder(name)).toSorted()).toEqual(names.map(fileOf).toSorted());
});

test('no example holds an e-mail address or a secret', () => {
  for (const name of names) {
    expect(JSON.stringify(read('examples', fileOf(name)))).not.toMatch(/@|mf_/);
  }
});
