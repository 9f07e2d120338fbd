import { UserId, WorkspaceId } from '@manifold/contracts';
import { expect, test } from 'vitest';
import { opens, reachOfNewKey } from './rules.ts';

const user = UserId.parse(`us_${'1'.repeat(32)}`);
const somebody = UserId.parse(`us_${'2'.repeat(32)}`);
const home = WorkspaceId.parse(`ws_${'1'.repeat(32)}`);
const other = WorkspaceId.parse(`ws_${'2'.repeat(32)}`);

const own = { workspace_id: home, user_id: user, reach: 'user' as const };
const given = { workspace_id: home, user_id: user, reach: 'workspace' as const };

test.each([
  ['a key of one’s own opens the workspace it was made in', own, home, true],
  ['and every other of its user', own, other, true],
  ['a key made by somebody else opens the workspace it was made in', given, home, true],
  ['and no other', given, other, false],
])('%s', (_, key, workspaceId, expected) => {
  expect(opens(key, workspaceId)).toBe(expected);
});

test.each([
  ['made for oneself with such a key opens everything as well', own, user, 'user'],
  ['made for somebody else opens one workspace', own, somebody, 'workspace'],
  ['made for oneself with a key for one workspace opens that one', given, user, 'workspace'],
  ['made for somebody else with a key for one workspace too', given, somebody, 'workspace'],
])('a key %s', (_, callersKey, userId, expected) => {
  expect(reachOfNewKey(callersKey, userId)).toBe(expected);
});
