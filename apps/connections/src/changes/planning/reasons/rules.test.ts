import type { PipedriveRecord } from '@manifold/contracts';
import { describe, expect, test } from 'vitest';
import { decidePlan, decideUndo, type Match } from '../rules.ts';
import { restOf, rowWords, wordsOf } from './rules.ts';

const reasons = Object.keys(rowWords).filter(
  (reason): reason is keyof typeof rowWords => reason in rowWords,
);

// the type of a plan's reason names no other
describe.each(reasons)('%s', (reason) => {
  test('is told with what happened and what can be done, in whole sentences', () => {
    const { cause, fix } = wordsOf({ reason, cause: null, fix: null });
    expect(cause).toMatch(/^[A-Z].{10,}\.$/);
    expect(fix).toMatch(/^[A-Z].{10,}\.$/);
  });
});

test('a row’s own words go before those of its reason, and a reason of another kind has none', () => {
  const own = { cause: 'It is so.', fix: null };
  expect(wordsOf({ reason: 'record_gone', ...own })).toEqual({
    cause: 'It is so.',
    fix: rowWords.record_gone.fix,
  });
  const none = { cause: null, fix: null };
  expect(wordsOf({ reason: 'budget_spent', ...none })).toEqual(none);
  expect(wordsOf({ reason: null, ...none })).toEqual(none);
});

test('only what a person has to sort out is parked', () => {
  expect(reasons.filter((reason) => restOf(reason) === 'parked')).toEqual(['several_matches']);
  expect(restOf('nothing_to_change')).toBe('no_change');
});

const record: PipedriveRecord = {
  object: 'person',
  id: '1',
  updateTime: null,
  addTime: null,
  deleted: false,
  fields: { name: 'Ada' },
};
const wanted = {
  identity: [],
  fields: { name: 'Ada' },
  createOnlyFields: {},
  survivor: [],
  onlyWhere: {},
  pendingKeys: [],
};
const done = { effect: 'updated' as const, changedKeys: [], updateTime: null };
const matches: Match[] = [
  { outcome: 'found', record, by: 'link' },
  { outcome: 'absent' },
  { outcome: 'gone' },
  { outcome: 'several', candidates: ['1', '2'] },
  { outcome: 'unclear', reason: 'index_needed' },
];
const operations = ['upsert', 'create', 'update', 'merge', 'link', 'delete'] as const;

test.each([
  [
    'upsert',
    { outcome: 'gone' },
    /Correct the PIPEDRIVE_ID; to have a new record made leave it out/,
  ],
  ['update', { outcome: 'gone' }, /Correct the PIPEDRIVE_ID/],
  ['update', { outcome: 'absent' }, /Correct the identity, or use the operation UPSERT/],
] as const)(
  'a row to %s whose record is not there says how to go on: %o',
  (operation, match, fix) => {
    const planned = { operation, object: 'person', existing: 'update' } as const;
    expect(decidePlan(planned, match, wanted)).toMatchObject({
      reason: 'record_not_found',
      fix: expect.stringMatching(fix),
    });
  },
);

test('whatever the planner decides not to write, it has words for', () => {
  const plans = matches.flatMap((match) =>
    operations.flatMap((operation) =>
      (['update', 'leave'] as const).map((existing) =>
        decidePlan({ operation, object: 'person', existing }, match, wanted),
      ),
    ),
  );
  const undone = [
    decideUndo({ ...done, before: undefined, after: undefined }, record),
    decideUndo({ ...done, before: {}, after: {} }, undefined),
    decideUndo({ ...done, effect: 'deleted', before: {}, after: {} }, record),
    decideUndo({ ...done, before: {}, after: {} }, record),
  ];
  const idle = [...plans, ...undone].filter(({ effect }) => effect === 'none');
  expect(idle.length).toBeGreaterThan(20);
  for (const { reason = null } of idle) {
    const { cause, fix } = wordsOf({ reason, cause: null, fix: null });
    expect([reason, cause, fix]).not.toContain(null);
  }
});
