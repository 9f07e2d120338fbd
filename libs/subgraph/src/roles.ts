import type { EntitlementName, Identity, Role } from '@manifold/contracts';
import { Refusal } from '@manifold/errors';

const rank: Record<Role, number> = { VIEWER: 0, MEMBER: 1, ADMIN: 2, OWNER: 3 };

/** Refuses a caller whose role is below `least`. */
export function requireRole(identity: Identity, least: Role): void {
  if (rank[identity.role] >= rank[least]) return;
  throw new Refusal('forbidden', `This needs the role ${least} in the workspace`, {
    reason: 'role_too_low',
    fix: `Ask an owner of the workspace for the role ${least}.`,
  });
}

/** Refuses when the workspace may not use a feature. */
export function requireEntitlement(identity: Identity, name: EntitlementName): void {
  if (identity.entitlements.includes(name)) return;
  throw new Refusal('forbidden', `The feature ${name} is switched off for this workspace`, {
    reason: 'entitlement_missing',
    fix: 'An owner can switch it on with the mutation setEntitlement.',
  });
}
