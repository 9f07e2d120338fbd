import { UserId, WorkspaceId } from '@manifold/contracts';
import { expect, test } from 'vitest';
import { opens } from './rules.ts';

const user = UserId.parse(`us_${'1'.repeat(32)}`);
const maker = UserId.parse(`us_${'2'.repeat(32)}`);
const stranger = UserId.parse(`us_${'3'.repeat(32)}`);
const home = WorkspaceId.parse(`ws_${'1'.repeat(32)}`);
const other = WorkspaceId.parse(`ws_${'2'.repeat(32)}`);

const own = { workspace_id: home, user_id: user, vouched_by: user };
const made = { workspace_id: home, user_id: user, vouched_by: maker };
const at = (workspace_id: WorkspaceId, rest = {}) => ({
  workspace_id,
  workspace_vouched_by: stranger,
  voucher_role: null,
  ...rest,
});

test.each([
  ['a key of one’s own opens every workspace of its user', own, at(other), true],
  ['a key made by somebody else opens the workspace it was made in', made, at(home), true],
  ['and no other', made, at(other), false],
  [
    'unless its maker owns the other as well',
    made,
    at(other, { voucher_role: 'OWNER' as const }),
    true,
  ],
  [
    'an administrator of the other is not enough',
    made,
    at(other, { voucher_role: 'ADMIN' as const }),
    false,
  ],
  [
    'a workspace created with such a key is open to it',
    made,
    at(other, { workspace_vouched_by: maker }),
    true,
  ],
])('%s', (_, key, standing, expected) => {
  expect(opens(key, standing)).toBe(expected);
});
