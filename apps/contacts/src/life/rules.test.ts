import { expect, test } from 'vitest';
import { type Act, decideAct, notFollowing } from './rules.ts';

const states = ['DRAFT', 'ACTIVE', 'DISCONNECTED', 'ARCHIVED', 'DELETED'] as const;
const incomplete = 'data_source_incomplete';
const archived = 'data_source_archived';
const deleted = 'data_source_deleted';

// one column per state, in the order above: the state that follows, or the reason against it
const table: [Act, string[]][] = [
  ['disconnect', [incomplete, 'DISCONNECTED', 'DISCONNECTED', archived, deleted]],
  ['reconnect', [incomplete, 'ACTIVE', 'ACTIVE', archived, deleted]],
  ['archive', [incomplete, 'ARCHIVED', 'ARCHIVED', 'ARCHIVED', deleted]],
  ['restore', [incomplete, 'data_source_set_up', 'DISCONNECTED', 'DISCONNECTED', deleted]],
  ['delete', ['DELETED', 'DELETED', 'DELETED', 'DELETED', 'DELETED']],
];
const cases = table.flatMap(([act, column]) =>
  states.map((state, index) => [act, state, column[index]] as const),
);

test.each(cases)('%s of a source that is %s: %s (OR-51, OR-61)', (act, state, expected) => {
  const decision = decideAct(act, state);
  expect(typeof decision === 'string' ? decision : decision.detail.reason).toBe(expected);
});

test.each(states)('a source that is %s is read only when it is active', (state) => {
  expect(notFollowing(state) === undefined).toBe(state === 'ACTIVE');
});
