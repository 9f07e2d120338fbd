import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  checkCursor,
  checkFilter,
  IdempotencyKey,
  IdPart,
  loadById,
  type NestedFilter,
  optional,
  orderBy,
  TextPart,
  TimePart,
} from './arguments.ts';
import { readPage } from './pages.ts';

test('null and absent both mean nothing', () => {
  const shape = z.object({ name: optional(z.string()) });
  expect(shape.parse({ name: null })).toEqual({ name: undefined });
  expect(shape.parse({})).toEqual({ name: undefined });
});

test.each([
  ['nothing', null, true],
  ['200 characters', 'k'.repeat(200), true],
  ['an empty text', '', false],
  ['201 characters', 'k'.repeat(201), false],
  ['a NUL, which no row can hold', 'a\0b', false],
])('an idempotency key may be %s: %#', (_, key, accepted) => {
  expect(IdempotencyKey.safeParse(key).success).toBe(accepted);
});

test('a list is ordered only by fields it has', () => {
  const shape = orderBy(['NAME']);
  const order = { field: 'NAME', direction: 'DESC' };
  expect(shape.parse(order)).toEqual(order);
  expect(shape.parse(null)).toBeUndefined();
  expect(shape.safeParse({ ...order, field: 'EMAIL' }).success).toBe(false);
});

test('a text that is no id loads nothing', async () => {
  const load = async (id: string) => `row ${id}`;
  expect(await loadById(z.uuid(), 'nonsense', load)).toBeNull();
  expect(await loadById(z.string(), 'a', load)).toBe('row a');
});

describe('a cursor', () => {
  const pageAt = (parts: unknown) =>
    readPage({ after: Buffer.from(JSON.stringify(parts)).toString('base64url') });

  test('of the list and its order continues it, and so does none', () => {
    const page = pageAt(['2026-03-01T10:00:00.000Z', 'ct_1']);
    expect(checkCursor(page, [TimePart, IdPart])).toBe(page);
    expect(() => checkCursor(readPage({}), [TimePart, IdPart])).not.toThrow();
  });

  test.each([
    ['of another order', ['Ada', 'ct_1']],
    ['of another list', ['2026-03-01T10:00:00.000Z']],
    ['with a NUL', ['2026-03-01T10:00:00.000Z', 'ct_\0']],
  ])('%s is refused by name', (_, parts) => {
    expect(() => checkCursor(pageAt(parts), [TimePart, IdPart])).toThrow(
      expect.objectContaining({ detail: expect.objectContaining({ field: 'after' }) }),
    );
  });

  test('of texts is any short text', () => {
    expect(() => checkCursor(pageAt(['x'.repeat(401)]), [TextPart])).toThrow('not made by this');
  });
});

describe('a filter', () => {
  const nested = (depth: number): NestedFilter => (depth === 1 ? {} : { not: nested(depth - 1) });
  const wide = (count: number): NestedFilter => ({
    and: Array.from({ length: Math.floor(count / 2) }, () => ({})),
    or: Array.from({ length: Math.ceil(count / 2) - 1 }, () => ({})),
  });

  test.each([
    ['5 deep', nested(5)],
    ['50 in all', wide(50)],
    ['with null for what is absent', { and: null, or: null, not: null }],
  ])('%s is answered', (_, filter) => {
    expect(() => checkFilter(filter)).not.toThrow();
  });

  test.each<[string, object]>([
    ['in a text', { not: { email: 'a\0b' } }],
    ['in a list of texts', { and: [{ keys: ['a', 'a\0b'] }] }],
  ])('with a NUL %s is refused', (_, filter) => {
    expect(() => checkFilter(filter)).toThrow(
      expect.objectContaining({ detail: expect.objectContaining({ reason: 'invalid_input' }) }),
    );
  });

  test.each([
    ['6 deep', nested(6)],
    ['51 in all', wide(51)],
  ])('%s is refused', (_, filter) => {
    expect(() => checkFilter(filter)).toThrow(
      expect.objectContaining({ detail: expect.objectContaining({ reason: 'too_many_items' }) }),
    );
  });
});
