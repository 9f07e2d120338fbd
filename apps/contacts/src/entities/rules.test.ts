import { AccountId, type MergePolicy } from '@manifold/contracts';
import type { MappedRecord } from '@manifold/mapping';
import { describe, expect, test } from 'vitest';
import { newId } from '@manifold/database';
import { ACCOUNT_KEY, attribute, isTaken, planEntity, withoutSource } from './rules.ts';

const policy: MergePolicy = {
  existing: 'overwrite',
  createMissing: true,
  ignoreEmpty: false,
  protected: [],
  protectFilled: false,
};
const [one, two]: AccountId[] = [newId('ac', AccountId), newId('ac', AccountId)];
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
    isIdentified: () => true,
    ...options,
  });
const existing = {
  account_id: one ?? null,
  values: { name: 'Ada' },
  origins: {},
  subscriptions: {},
};

describe('a record', () => {
  const none = { ...policy, createMissing: false };
  const alone = { ...policy, existing: 'ignore' } as const;
  const other = mappedOf({ name: 'Bea' });
  test.each([
    ['unknown', 'created', {}],
    ['unknown, with none to be made', 'unknown_record_not_created', { policy: none }],
    [
      'unknown, without what the mapping requires',
      'required_target_missing',
      { mapped: mappedOf({}, ['contact.email']) },
    ],
    [
      'unknown, without what accounts require',
      'created',
      { mapped: mappedOf({}, ['account.name']) },
    ],
    ['the same as the contact', 'unchanged', { existing }],
    ['different', 'updated', { existing, mapped: other }],
    [
      'different, with existing ones left alone',
      'existing_record_left_alone',
      { existing, mapped: other, policy: alone },
    ],
    ['moved to another account', 'updated', { existing, accountId: two }],
  ] as const)('%s → %s', (_, expected, options) => {
    const { outcome, reason } = plan(options);
    expect(reason ?? outcome).toBe(expected);
    expect(outcome === 'skipped').toBe(reason !== undefined);
  });

  test.each([
    ['overwrite', one ?? null, two, two],
    ['append', one ?? null, two, one],
    ['append', null, two, two],
    ['ignore', null, two, null],
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

  test('without an identifier makes no contact and leaves no link; one that is here stays (WX-10)', () => {
    const isIdentified = () => false;
    const unknown = plan({ isIdentified });
    expect(unknown).toMatchObject({ outcome: 'skipped', reason: 'no_identifier' });
    expect(isTaken(unknown)).toBe(false);
    const known = plan({ isIdentified, existing, mapped: mappedOf({ name: 'Bea' }) });
    expect(known.outcome).toBe('updated');
  });

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
    const before = {
      account_id: one ?? null,
      values: { name: 'Ada', phone: '1' },
      origins: {},
      subscriptions: {},
    };
    const origins = attribute({ ...call, before, joins: 'ds_1' });
    expect(origins).toEqual({ name: 'ds_2', phone: 'ds_1', [ACCOUNT_KEY]: 'ds_1' });
  });

  test('decides what goes when a source goes (A12)', () => {
    const origins = { name: 'ds_2', phone: 'ds_1', [ACCOUNT_KEY]: 'ds_1' };
    const left = withoutSource(
      { account_id: one ?? null, values: after.values, origins, subscriptions: {} },
      'ds_1',
    );
    expect(left).toEqual({
      values: { name: 'Bea' },
      origins: { name: 'ds_2' },
      accountId: null,
      subscriptions: {},
      changedKeys: ['phone', 'account'],
    });
  });
});
