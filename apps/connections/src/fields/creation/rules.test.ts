import type { FieldDefinition, PipedriveObject } from '@manifold/contracts';
import { describe, expect, test } from 'vitest';
import {
  countCustomFields,
  decideName,
  decideRoom,
  distinctLabels,
  newLabels,
  ownerOf,
} from './rules.ts';
import { suggestType } from './suggestion/rules.ts';

const now = new Date('2026-03-01T10:00:00Z');
const ago = (hours: number) => new Date(now.getTime() - hours * 3_600_000);
const field = (name: string, more: Partial<FieldDefinition> = {}): FieldDefinition => ({
  object: 'person',
  code: name.padEnd(40, '0'),
  name,
  type: 'varchar',
  custom: true,
  ...more,
});

describe('the limit of custom fields', () => {
  test.each([
    ['below the plan there is room', 29, undefined, 'room'],
    ['at the plan there is none', 30, undefined, 'full'],
    ['above it the plan was assumed wrongly', 31, undefined, 'room'],
    ['what Pipedrive said counts more', 30, { fields: 100, learnedAt: ago(1) }, 'room'],
    ['in both directions', 12, { fields: 12, learnedAt: ago(1) }, 'full'],
    ['for a day', 12, { fields: 12, learnedAt: ago(25) }, 'room'],
  ])('%s', (_, count, learned, outcome) => {
    expect(decideRoom(count, { assumed: 30, learned, now }).outcome).toBe(outcome);
  });

  test('counts the fields of a company once: leads show those of deals', () => {
    const two = { fields: [field('a'), field('b'), field('name', { custom: false })] };
    const catalogues = new Map<PipedriveObject, typeof two>([
      ['deal', two],
      ['lead', two],
      ['person', two],
    ]);
    expect(countCustomFields(catalogues)).toBe(4);
    expect([ownerOf('lead'), ownerOf('product'), ownerOf('note')]).toEqual([
      'deal',
      'product',
      undefined,
    ]);
  });
});

test('a field is found by name and type; another type of the name is no licence for a second', () => {
  const fields = [field('Pet'), field('Budget', { type: 'monetary' })];
  expect(decideName(fields, { name: ' pet', type: 'varchar' })).toMatchObject({
    outcome: 'exists',
  });
  expect(decideName(fields, { name: 'Budget', type: 'double' })).toMatchObject({
    outcome: 'taken',
  });
  expect(decideName(fields, { name: 'Age', type: 'double' })).toEqual({ outcome: 'free' });
  const builtIn = field('Name', { custom: false });
  expect(decideName([builtIn], { name: 'Name', type: 'varchar' })).toEqual({ outcome: 'free' });
});

test('a choice is added once, whatever its case', () => {
  const pet = field('Pet', { type: 'enum', options: [{ id: 1, label: 'Dog' }] });
  expect(newLabels(pet, ['dog', 'Cat', 'cat ', 'Bird'])).toEqual(['Cat', 'Bird']);
});

describe('the type suggested', () => {
  test.each([
    ['Large text', 'text'],
    ['Text', 'varchar'],
    ['Numerical', 'double'],
    ['Monetary', 'monetary'],
    ['Date', 'date'],
    ['boolean', 'enum'],
    ['something else', 'varchar'],
  ])('for a source’s %s is %s (SL-42)', (sourceType, type) => {
    expect(suggestType({ sourceType }).type).toBe(type);
  });

  test.each([
    [['1', '2.5', '-3'], 'double'],
    [['007', '12'], 'varchar'],
    [['2026-01-02', '2026-01-02T10:00:00Z'], 'date'],
    [['09:30', '10:00:00'], 'time'],
    [['EUR 12.50', '12 USD', '€9'], 'monetary'],
    [['+372 555 0101'], 'phone'],
    [['true', 'no'], 'enum'],
    [['x'.repeat(256), '1'], 'text'],
    [['Ada', 'Grace'], 'varchar'],
    [['', ' '], 'varchar'],
  ])('for values like %j is %s (SL-42)', (samples, type) => {
    expect(suggestType({ samples }).type).toBe(type);
  });

  test('for a few values that repeat is a choice of them', () => {
    const samples = Array.from({ length: 9 }, (_, n) => (n % 2 === 0 ? 'Gold' : 'Silver'));
    expect(suggestType({ samples })).toMatchObject({ type: 'enum', options: ['Gold', 'Silver'] });
  });

  test('is long text when the values are longer than the source’s type', () => {
    expect(suggestType({ sourceType: 'Text', samples: ['x'.repeat(300)] }).type).toBe('text');
  });
});

test('choices that differ in case and outer spaces only are one', () => {
  expect(distinctLabels(['Gold', 'Silver', 'gold', ' Silver '])).toEqual(['Gold', 'Silver']);
});
