import { expect, test } from 'vitest';
import { z } from 'zod';
import { wordsOf } from './issues.ts';

const kinds = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('email') }),
  z.object({ kind: z.literal('name') }),
]);

test.each<[string, z.ZodType, unknown, [message: string, fix: string]]>([
  ['an empty text', z.string().min(1), '', ['is empty', 'Give at least 1 character.']],
  ['an empty list', z.array(z.int()).min(1), [], ['is empty', 'Give at least 1 item.']],
  ['a short text', z.string().min(3), 'a', ['is too short', 'Give at least 3 characters.']],
  ['a long text', z.string().max(3), 'abcd', ['is too long', 'Give at most 3 characters.']],
  [
    'a text of another length',
    z.string().length(2),
    'abc',
    ['is too long', 'Give exactly 2 charac'],
  ],
  ['a long list', z.array(z.int()).max(1), [1, 2], ['is too long', 'Give at most 1 item.']],
  ['a small number', z.int().min(1), 0, ['is too small', 'Give at least 1.']],
  ['a number at its bound', z.number().gt(1), 1, ['is too small', 'Give more than 1.']],
  ['a large number', z.int().max(9), 10, ['is too large', 'Give at most 9.']],
  [
    'a number that does not divide',
    z.int().multipleOf(5),
    3,
    ['is not a multiple of 5', 'Use a m'],
  ],
  ['nothing', z.string(), undefined, ['is required', 'Give a text.']],
  ['another type', z.string(), 5, ['is not a text', 'Give a text.']],
  ['a broken number', z.int(), 1.5, ['is not a whole number', 'Give a whole number.']],
  ['an unknown word', z.enum(['A', 'B']), 'C', ['is none of the values', 'Use one of A, B.']],
  ['another word', z.literal('A'), 'C', ['is none of the values', 'Use A.']],
  ['a bad address', z.email(), 'x@', ['is not an e-mail address', 'such as ada@example.com']],
  ['a bad time', z.iso.datetime(), 'now', ['is not a time in UTC', 'such as 2026-03-01T12:00:00Z']],
  ['a bad link', z.url(), 'x', ['is not a web address', 'such as https://example.com']],
  ['another form', z.string().regex(/^a/), 'b', ['does not have the right form', 'Use the form']],
  ['our own words', z.string().regex(/^a/, 'not an id'), 'b', ['not an id', 'Use the form']],
  ['a rule of our own', z.string().refine(() => false), 'b', ['is not allowed', 'Use a value']],
  ['its own words', z.string().refine(() => false, 'is odd'), 'b', ['is odd', 'Use a value']],
  ['an unknown name', z.strictObject({}), { nick: 1 }, ['not known here: nick', 'Leave them out']],
  ['no known kind', kinds, { kind: 'x' }, ['is of a kind', 'Use one of email, name.']],
  ['none of several', z.union([z.string(), z.int()]), true, ['is of a kind', 'Give a value of']],
  [
    'a bad name',
    z.record(z.string().min(2), z.int()),
    { a: 1 },
    ['has a name', 'Use another name.'],
  ],
])('%s is told in plain words, with the way out', (_, shape, value, [message, fix]) => {
  const [issue] = shape.safeParse(value).error?.issues ?? [];
  if (issue === undefined) throw new Error('nothing is wrong with it');
  const words = wordsOf(issue);
  expect(words).toEqual({
    message: expect.stringContaining(message),
    fix: expect.stringContaining(fix),
  });
  expect(JSON.stringify(words)).not.toMatch(/zod|expected|received|>=|<=|pattern/i);
});

test('of many names only the first are listed, and none at full length', () => {
  const keys = Array.from({ length: 50 }, (_, at) => `${at}`.padEnd(500, 'x'));
  const shape = z.strictObject({});
  const [issue] =
    shape.safeParse(Object.fromEntries(keys.map((key) => [key, 1]))).error?.issues ?? [];
  expect(issue && wordsOf(issue).message.length).toBeLessThan(1_500);
});
