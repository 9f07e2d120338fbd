import type { AccountId, MergePolicy } from '@manifold/contracts';
import type { MappedRecord } from '@manifold/mapping';
import { describe, expect, test } from 'vitest';
import { AccountId as Account } from '@manifold/contracts';
import { newId } from '@manifold/database';
import { ACCOUNT_KEY, attribute, isTaken, planEntity, withoutSource } from './rules.ts';

const policy: MergePolicy = {
  existing: 'overwrite',
  createMissing: true,
  ignoreEmpty: false,
  protected: [],
  protectFilled: false,
};
const [one, other]: AccountId[] = [newId('ac', Account), newId('ac', Account)];
const mappedOf = (
  contact: Record<string, string | null>,
  missing: string[] = [],
): MappedRecord => ({
  values: { contact },
  createOnlyValues: {},
  losses: [],
  missing,
});
const plan = (options: Partial<Parameters<typeof planEntity>[0]>) =>
  planEntity({
    object: 'person',
    mapped: mappedOf({ name: 'Ada' }),
    policy,
    existing: undefined,
    accountId: undefined,
    ...options,
  });
const existing = { account_id: one ?? null, values: { name: 'Ada' }, origins: {} };

describe('a record', () => {
  test.each([
    ['unknown', {}, 'created', undefined],
    [
      'unknown, with none to be made',
      { policy: { ...policy, createMissing: false } },
      'skipped',
      'unknown_record_not_created',
    ],
    [
      'unknown, without what the mapping requires',
      { mapped: mappedOf({}, ['contact.email']) },
      'skipped',
      'required_target_missing',
    ],
    [
      'unknown, without what accounts require',
      { mapped: mappedOf({}, ['account.name']) },
      'created',
      undefined,
    ],
    ['the same as the contact', { existing }, 'unchanged', undefined],
    ['different', { existing, mapped: mappedOf({ name: 'Bea' }) }, 'updated', undefined],
    [
      'different, with existing ones left alone',
      { existing, mapped: mappedOf({ name: 'Bea' }), policy: { ...policy, existing: 'ignore' } },
      ...(['skipped', 'existing_record_left_alone'] as const),
    ],
    ['moved to another account', { existing, accountId: other }, 'updated', undefined],
  ] as const)('%s → %3$s %4$s', (_, options, outcome, reason) => {
    const planned = plan(options);
    expect([planned.outcome, planned.reason]).toEqual([outcome, reason]);
  });

  test.each([
    ['overwrite', one ?? null, other, other],
    ['append', one ?? null, other, one],
    ['append', null, other, other],
    ['ignore', null, other, null],
    ['overwrite', one ?? null, undefined, one],
    ['overwrite', one ?? null, null, null],
  ] as const)(
    'under %s an account follows the policy like a variable',
    (rule, before, incoming, after) => {
      const { accountId } = plan({
        existing: { ...existing, account_id: before },
        accountId: incoming,
        policy: { ...policy, existing: rule },
      });
      expect(accountId).toBe(after);
    },
  );

  test('that made nothing leaves no link, one that is left alone keeps it', () => {
    const nothing = plan({ policy: { ...policy, createMissing: false } });
    const alone = plan({
      existing,
      mapped: mappedOf({ name: 'B' }),
      policy: { ...policy, existing: 'ignore' },
    });
    expect([isTaken(nothing), isTaken(alone)]).toEqual([false, true]);
  });
});

describe('who vouches for a variable', () => {
  const after = { values: { name: 'Bea', phone: '1' }, accountId: one ?? null };
  const call = {
    before: undefined,
    after,
    incoming: { name: 'Bea' },
    sourceId: 'ds_2',
    joins: undefined,
  };

  test('is not kept while there is one source', () => {
    expect(attribute(call)).toEqual({});
  });

  test('is kept from the moment a second source joins', () => {
    const before = { account_id: one ?? null, values: { name: 'Ada', phone: '1' }, origins: {} };
    const origins = attribute({ ...call, before, joins: 'ds_1' });
    expect(origins).toEqual({ name: 'ds_2', phone: 'ds_1', [ACCOUNT_KEY]: 'ds_1' });
  });

  test('decides what goes when a source goes (A12)', () => {
    const origins = { name: 'ds_2', phone: 'ds_1', [ACCOUNT_KEY]: 'ds_1' };
    const left = withoutSource({ account_id: one ?? null, values: after.values, origins }, 'ds_1');
    expect(left).toEqual({
      values: { name: 'Bea' },
      origins: { name: 'ds_2' },
      accountId: null,
      changedKeys: ['phone', 'account'],
    });
  });
});
