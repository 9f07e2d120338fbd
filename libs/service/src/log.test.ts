import { Refusal } from '@manifold/errors';
import { expect, test } from 'vitest';
import { describeError } from './log.ts';

const databaseError = Object.assign(new Error('invalid input syntax: "ada@example.org"'), {
  severity: 'ERROR',
  code: '22P02',
  detail: 'Key (email)=(ada@example.org) already exists.',
  where: 'ada@example.org',
  constraint: 'contact_pkey',
});

test('a database error is logged with code and constraint, without the values it quotes', () => {
  const said = describeError(databaseError);
  expect(said).toMatchObject({ type: 'Error', code: '22P02', constraint: 'contact_pkey' });
  expect(JSON.stringify(said)).not.toContain('ada@');
});

test('the cause of an error is described the same way, to a depth', () => {
  const said = describeError(new Error('Page not stored', { cause: databaseError }));
  expect(said).toMatchObject({ message: 'Page not stored', cause: { code: '22P02' } });
  expect(JSON.stringify(said)).not.toContain('ada@');
});

test('a refusal keeps its kind and message', () => {
  const refusal = new Refusal('conflict', 'It was cancelled', { reason: 'cancelled_by_user' });
  expect(describeError(refusal)).toMatchObject({ kind: 'conflict', message: 'It was cancelled' });
});

test('a message without end is cut', () => {
  expect(JSON.stringify(describeError(new Error('x'.repeat(1_000_000)))).length).toBeLessThan(
    5_000,
  );
});

test('what was thrown without being an error is told by its type only', () => {
  expect(describeError('a secret')).toEqual({ type: 'string' });
});
