import { describe, expect, test } from 'vitest';
import { decideBatch } from './applying/rules.ts';
import { decideUndo } from './planning/rules.ts';
import { holds, isFresh, isPossible, isRecordId, planText, stateOf } from './rules.ts';

test('a record holds what it was planned on when the fields to be written are the same', () => {
  expect(holds({ name: 'Ada', note: 'new' }, { name: 'Ada' })).toBe(true);
  expect(holds({ name: 'Eve' }, { name: 'Ada' })).toBe(false);
  expect(holds({}, { name: null })).toBe(true);
});

test('what was seen a minute ago is looked at again', () => {
  const now = new Date();
  expect(isFresh(now, new Date(now.getTime() + 59_000))).toBe(true);
  expect(isFresh(now, new Date(now.getTime() + 60_000))).toBe(false);
  expect(isFresh(null, now)).toBe(false);
});

test('two plans are the same when they write the same to the same record', () => {
  const plan = { effect: 'update' as const, object: 'person', pipedriveId: '1' };
  const one = planText({ ...plan, after: { a: 1, b: 2 } });
  expect(planText({ ...plan, after: { b: 2, a: 1 } })).toBe(one);
  expect(planText({ ...plan, after: { a: 1, b: 3 } })).not.toBe(one);
  expect(planText({ ...plan, pipedriveId: '2', after: { a: 1, b: 2 } })).not.toBe(one);
});

test.each([
  ['person', '12', true],
  ['person', '0', false],
  ['person', 'abc', false],
  ['person', '99999999999999999999', false],
  ['lead', 'adf21080-0e10-11eb-879b-05d71fb426ec', true],
  ['lead', '12', false],
] as const)('a %s may have the id %s: %s', (object, id, may) => {
  expect(isRecordId(object, id)).toBe(may);
});

test.each([
  ['close', 'open', true],
  ['close', 'planning', false],
  ['approve', 'awaiting_approval', true],
  ['approve', 'applying', false],
  ['pause', 'applying', true],
  ['resume', 'paused', true],
  ['cancel', 'paused', true],
  ['cancel', 'done', false],
] as const)('%s is possible for a set that is %s: %s', (decision, state, possible) => {
  expect(isPossible(decision, state)).toBe(possible);
});

test('a change that rests is pending until it is planned', () => {
  expect(stateOf({ effect: null, step_state: 'planned' })).toBe('PENDING');
  expect(stateOf({ effect: 'update', step_state: 'planned' })).toBe('PLANNED');
  expect(stateOf({ effect: 'update', step_state: 'unknown' })).toBe('APPLYING');
});

describe('how much is handed to the sender', () => {
  const set = { pending: { released: 0, rests: true }, released: 0, approved: null };
  test('a whole batch while there is room for one', () => {
    expect(decideBatch(set)).toMatchObject({ decision: 'release', changes: 100 });
    const half = { ...set, pending: { released: 100, rests: true } };
    expect(decideBatch(half).decision).toBe('release');
    expect(decideBatch({ ...set, pending: { released: 101, rests: true } }).decision).toBe('wait');
  });
  test('of a canary no more than was approved, then nothing', () => {
    expect(decideBatch({ ...set, approved: 3 })).toMatchObject({ changes: 3 });
    const through = { ...set, approved: 3, released: 3 };
    expect(decideBatch(through).decision).toBe('pause');
    const onTheWay = { ...through, pending: { released: 1, rests: true } };
    expect(decideBatch(onTheWay).decision).toBe('wait');
  });
});

describe('a change is taken back field by field', () => {
  const record = (fields: Record<string, string | null>, updateTime = 'then') => ({
    object: 'person' as const,
    id: '1',
    updateTime,
    addTime: null,
    deleted: false,
    fields,
  });
  const done = {
    effect: 'updated' as const,
    changedKeys: ['a', 'b'],
    updateTime: 'then',
    before: { a: 'old', b: null },
    after: { a: 'new', b: 'new' },
  };

  test('what still is what was written becomes what it was', () => {
    const plan = decideUndo(done, record({ a: 'new', b: 'new' }));
    expect(plan).toMatchObject({ effect: 'update', after: { a: 'old', b: null }, keptKeys: [] });
  });
  test('what somebody has changed since is kept and named', () => {
    const plan = decideUndo(done, record({ a: 'by hand', b: 'new' }));
    expect(plan).toMatchObject({
      effect: 'update',
      reason: 'edited_since',
      after: { b: null },
      keptKeys: ['a'],
    });
  });
  test('what is as it was already needs nothing', () => {
    const plan = decideUndo(done, record({ a: 'old', b: null }));
    expect(plan).toMatchObject({ effect: 'none', reason: 'nothing_to_change' });
  });
  test.each([
    ['a record that is gone', done, undefined, 'record_gone'],
    ['a deletion', { ...done, effect: 'deleted' as const }, undefined, 'irreversible'],
    ['a merge', { ...done, effect: 'merged' as const }, record({}), 'irreversible'],
    ['values that are not kept', { ...done, before: undefined }, record({}), 'undo_not_available'],
    [
      'a record that was made and touched since',
      { ...done, effect: 'created' as const },
      record({}, 'later'),
      'edited_since',
    ],
    [
      'a record that was made and changed within the same second',
      { ...done, effect: 'created' as const },
      record({ a: 'by hand', b: 'new' }),
      'edited_since',
    ],
    [
      'a record that was made at a time nobody knows',
      { ...done, effect: 'created' as const, updateTime: null },
      record({}),
      'edited_since',
    ],
  ])('%s stays as it is', (_, change, now, reason) => {
    expect(decideUndo(change, now)).toMatchObject({ effect: 'none', reason });
  });
  test('a record that was made and never touched is deleted', () => {
    const plan = decideUndo({ ...done, effect: 'created' }, record({ a: 'new', b: 'new' }));
    expect(plan).toMatchObject({ effect: 'delete', record: { id: '1' }, before: done.after });
  });
});
