import { describe, expect, test } from 'vitest';
import { decideRoleChange, isLastOwner, normaliseEmail } from './rules.ts';

describe('a role change', () => {
  test.each([
    ['MEMBER', 'ADMIN', 1, 'change'],
    ['OWNER', 'VIEWER', 2, 'change'],
    ['OWNER', 'VIEWER', 1, 'refuse_last_owner'],
    ['OWNER', 'OWNER', 1, 'unchanged'],
    ['VIEWER', 'OWNER', 1, 'change'],
  ] as const)('from %s to %s with %i owners: %s', (role, next, owners, outcome) => {
    expect(decideRoleChange({ role }, next, owners)).toEqual({ outcome });
  });
});

test.each([
  ['OWNER', 1, true],
  ['OWNER', 2, false],
  ['ADMIN', 1, false],
] as const)('%s, one of %i owners, is the last owner: %s', (role, owners, last) => {
  expect(isLastOwner({ role }, owners)).toBe(last);
});

test('an e-mail is the same in upper and lower case, with and without blanks', () => {
  expect(normaliseEmail(' Ada.L+x@Example.COM ')).toBe('ada.l+x@example.com');
});
