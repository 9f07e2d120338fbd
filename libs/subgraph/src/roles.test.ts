import { Identity } from '@manifold/contracts';
import { expect, test } from 'vitest';
import { requireEntitlement, requireRole } from './roles.ts';

const id = (prefix: string) => `${prefix}_${'1'.repeat(32)}`;
const identityOf = (role: string, entitlements: string[] = []) =>
  Identity.parse({
    ...{ workspaceId: id('ws'), userId: id('us'), apiKeyId: id('ak') },
    role,
    entitlements,
  });
const ranks = ['VIEWER', 'MEMBER', 'ADMIN', 'OWNER'] as const;

test.each(ranks.flatMap((role) => ranks.map((least) => [role, least] as const)))(
  'a %s where %s is needed',
  (role, least) => {
    const enter = () => requireRole(identityOf(role), least);
    if (ranks.indexOf(role) >= ranks.indexOf(least)) expect(enter).not.toThrow();
    else {
      expect(enter).toThrow(
        expect.objectContaining({
          kind: 'forbidden',
          detail: expect.objectContaining({ reason: 'role_too_low' }),
        }),
      );
    }
  },
);

test('a feature that is switched off is refused with the way to switch it on', () => {
  expect(() =>
    requireEntitlement(identityOf('OWNER', ['bulk_changes']), 'bulk_changes'),
  ).not.toThrow();
  expect(() => requireEntitlement(identityOf('OWNER'), 'bulk_changes')).toThrow(
    expect.objectContaining({
      detail: expect.objectContaining({ reason: 'entitlement_missing', fix: expect.any(String) }),
    }),
  );
});
