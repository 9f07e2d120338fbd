import type { MappingRow, MappingSource } from '@manifold/contracts';
import { expect, test } from 'vitest';
import { canonical, compareCopies, isPublishedAs } from './rules.ts';

const row = (field: string, more: Partial<MappingRow> = {}): MappingRow => ({
  id: `contact.${field}`,
  source: { object: 'person', field },
  target: { object: 'contact', field, type: 'text' },
  ...more,
});
const policy: MappingSource['policy'] = {
  ...{ existing: 'overwrite', createMissing: true, ignoreEmpty: false },
  ...{ protected: [], protectFilled: false },
};
const copy = (rows: MappingRow[], more: Partial<typeof policy> = {}) => ({
  rows,
  policy: { ...policy, ...more },
});

test('the order of keys makes no difference to what is published', () => {
  const source: MappingSource = {
    ...{ direction: 'from_pipedrive', catalogue: [] },
    ...copy([row('name')]),
  };
  expect(canonical({ b: [1, { d: 2, c: 3 }], a: 1 })).toBe('{"a":1,"b":[1,{"c":3,"d":2}]}');
  expect(isPublishedAs(copy([row('name')]), source)).toBe(true);
  expect(isPublishedAs(copy([row('name'), row('city')]), source)).toBe(false);
});

test('two copies are compared row by row, with their policy', () => {
  const required = row('city', { required: true });
  const compared = compareCopies(
    copy([row('name'), row('city'), row('zip')]),
    copy([required, row('name'), row('street')], { ignoreEmpty: true }),
  );

  expect(compared.added).toEqual([row('street')]);
  expect(compared.removed).toEqual([row('zip')]);
  expect(compared.changed).toEqual([{ before: row('city'), after: required }]);
  expect(compared.policy).toEqual({ before: policy, after: { ...policy, ignoreEmpty: true } });
  expect(compared.reordered).toBe(true);
});

test('equal copies do not differ', () => {
  const one = copy([row('name')]);
  expect(compareCopies(one, structuredClone(one))).toEqual({
    ...{ added: [], removed: [], changed: [], policy: null, reordered: false },
  });
});
