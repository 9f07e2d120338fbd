import type { Role } from '@manifold/contracts';
import type { Member } from '../store.ts';

export type RoleDecision =
  | { outcome: 'change' }
  | { outcome: 'unchanged' }
  | { outcome: 'refuse_last_owner' };

/** A workspace always keeps one owner. */
export function decideRoleChange(
  member: Pick<Member, 'role'>,
  role: Role,
  owners: number,
): RoleDecision {
  if (member.role === role) return { outcome: 'unchanged' };
  if (isLastOwner(member, owners)) return { outcome: 'refuse_last_owner' };
  return { outcome: 'change' };
}

export const isLastOwner = (member: Pick<Member, 'role'>, owners: number): boolean =>
  member.role === 'OWNER' && owners <= 1;

/** E-mails that reach the same person are written the same way. */
export const normaliseEmail = (email: string): string => email.trim().toLowerCase();
