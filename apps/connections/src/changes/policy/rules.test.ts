import { describe, expect, test } from 'vitest';
import {
  decideApproval,
  decideRails,
  defaultPolicy,
  type Part,
  type PlanTotals,
  type Rails,
  railsOf,
} from './rules.ts';
import type { WritePolicy } from './store.ts';

const rails = { max_records: null, max_percent: null, allow_deletes: false, allow_merges: false };
type Counts = Partial<Omit<PlanTotals, 'parts'>>;

const totals = (change: Counts, part: Partial<Part> = {}): PlanTotals => {
  const effects = { create: 0, update: 0, delete: 0, merge: 0, ...change };
  const changed = effects.create + effects.update + effects.delete + effects.merge;
  const parts = [{ object: 'person' as const, rows: 100, changed, known: undefined, ...part }];
  return { ...effects, parts };
};

describe('a guard rail holds a plan up', () => {
  test.each([
    ['more records than allowed', { update: 11 }, { max_records: 10 }, 'too_many_records'],
    ['as many records as allowed', { update: 10 }, { max_records: 10 }, undefined],
    ['creates count as records', { create: 6, update: 5 }, { max_records: 10 }, 'too_many_records'],
    ['a larger part than allowed', { update: 6 }, { max_percent: 5 }, 'too_large_a_part'],
    ['as large a part as allowed', { update: 5 }, { max_percent: 5 }, undefined],
    ['an empty set', {}, { max_percent: 0 }, undefined],
    ['a deletion', { delete: 1 }, {}, 'deletes_not_allowed'],
    ['a deletion that is allowed', { delete: 1 }, { allow_deletes: true }, undefined],
    ['a merge', { merge: 1 }, {}, 'merges_not_allowed'],
    ['a merge that is allowed', { merge: 1 }, { allow_merges: true }, undefined],
  ] as const)('%s', (_, counts, change, reason) => {
    expect(decideRails(totals(counts), { ...rails, ...change })).toBe(reason);
  });
});

describe('how large a part a plan is', () => {
  const tenPercent = { ...rails, max_percent: 10 };
  test.each<[string, number, Partial<Part>, string | undefined]>([
    ['one of a thousand known records', 1, { rows: 1, known: 1_000 }, undefined],
    ['a hundred of a thousand known records', 100, { known: 1_000 }, undefined],
    ['more of the known records than allowed', 101, { known: 1_000 }, 'too_large_a_part'],
    ['one row alone, where nobody has counted', 1, { rows: 1 }, undefined],
    ['nineteen rows, where nobody has counted', 19, { rows: 19 }, undefined],
    ['twenty rows, where nobody has counted', 20, { rows: 20 }, 'too_large_a_part'],
    ['few of many rows, where nobody has counted', 3, { rows: 30 }, undefined],
    ['a count of none', 1, { rows: 1, known: 0 }, undefined],
  ])('%s', (_, update, part, reason) => {
    expect(decideRails(totals({ update }, part), tenPercent)).toBe(reason);
  });

  test('each kind of record by itself: many of one do not hide all of another', () => {
    const both = [
      { object: 'person' as const, rows: 500, changed: 0, known: 5_000 },
      { object: 'deal' as const, rows: 40, changed: 40, known: 40 },
    ];
    expect(decideRails({ ...totals({ update: 40 }), parts: both }, tenPercent)).toBe(
      'too_large_a_part',
    );
  });
});

describe('the guard rails of a set hold next to those of the workspace: the stricter counts', () => {
  const policy = { max_records: 10, max_percent: null, allow_deletes: false, allow_merges: true };
  test.each([
    ['says nothing', undefined, policy],
    ['asks for more', { maxRecords: 99, allowDeletes: true, allowMerges: true }, policy],
    ['leaves all out', {}, policy],
    [
      'asks for less',
      { maxRecords: 5, maxPercent: 2, allowMerges: false },
      { max_records: 5, max_percent: 2, allow_deletes: false, allow_merges: false },
    ],
  ] as const)('one that %s', (_, asked, expected) => {
    expect(railsOf(asked, policy)).toEqual(expected);
  });
});

describe('a plan goes on by itself', () => {
  const waits = (reason: string) => ({ approval: 'waits', reason });
  const goes = { approval: 'automatic' };
  const updates = { automatic: 'UPDATES' } as const;
  const all = { automatic: 'ALL' } as const;
  const five = { max_records: 5 };
  test.each([
    ['never unless the workspace says so', {}, { update: 1 }, waits('approval_required')],
    ['when there is nothing to change', {}, {}, goes],
    ['when updates may', { policy: updates }, { update: 5 }, goes],
    [
      'not when it makes records and only updates may',
      { policy: updates },
      { update: 5, create: 1 },
      waits('approval_required'),
    ],
    ['when everything may', { policy: all }, { update: 5, create: 1 }, goes],
    [
      'not with more records than may',
      { policy: { ...all, automatic_max_records: 5 } },
      { update: 6 },
      waits('approval_required'),
    ],
    [
      'not past a guard rail, whatever the policy',
      { policy: all, rails: five },
      { update: 6 },
      waits('too_many_records'),
    ],
  ])('%s', (_, held, counts, decision) => {
    const given: { policy?: Partial<WritePolicy>; rails?: Partial<Rails> } = held;
    expect(
      decideApproval(totals(counts), {
        rails: { ...rails, ...given.rails },
        policy: { ...defaultPolicy, ...given.policy },
      }),
    ).toEqual(decision);
  });
});
