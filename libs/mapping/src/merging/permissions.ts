import {
  type KeptReason,
  type MergePolicy,
  type Permission,
  PermissionChannel,
} from '@manifold/contracts';
import { readPermission } from '../converting/permissions.ts';

/** What a contact allows, by channel; a channel that is not there was never asked about. */
export type Permissions = Readonly<Partial<Record<PermissionChannel, Permission>>>;

/** Of a contact about whom nothing else is known (OR-31, OR-32). */
export const USUAL_PERMISSIONS: Permissions = { email: 'subscribed', sms: 'unsubscribed' };

export interface PermissionDecision {
  /** All of them afterwards. */
  permissions: Permissions;
  /** The channels that are decided now, and by what. */
  decided: { channel: PermissionChannel; by: Decider }[];
  /** What a row said and was not taken. */
  kept: { channel: PermissionChannel; reason: KeptReason }[];
}

type Decider = 'row' | 'marketing_status' | 'default';

export interface PermissionQuestion {
  /** Undefined: the contact is new. */
  existing: Permissions | undefined;
  /** `values.permission` of the mapped record. */
  mapped: Readonly<Record<string, Permission | null>> | undefined;
  /** As Pipedrive says it; it is about e-mail. */
  marketingStatus?: string | null | undefined;
  defaults?: Permissions;
  policy: MergePolicy;
}

/**
 * What a record makes of the permissions of a contact. For a new contact the mapped row decides,
 * then Pipedrive's marketing status, then the default (A4). Of a contact that is known nothing that
 * was stated ever changes, whoever stated it (A5, WX-14); a row may still answer for a channel
 * nobody was asked about (WX-12, WX-13).
 */
export function decidePermissions(question: PermissionQuestion): PermissionDecision {
  const { existing, mapped = {}, policy } = question;
  const permissions: Partial<Record<PermissionChannel, Permission>> = { ...existing };
  const decided: PermissionDecision['decided'] = [];
  const kept: PermissionDecision['kept'] = [];
  for (const channel of PermissionChannel.options) {
    const said = mapped[channel] ?? undefined;
    const reason = decideKept(policy, existing, channel);
    if (reason !== undefined) {
      const differs = said !== undefined && said !== existing?.[channel];
      if (differs) kept.push({ channel, reason });
      continue;
    }
    const answer = firstAnswer(question, channel, said);
    if (answer === undefined) continue;
    permissions[channel] = answer.permission;
    decided.push({ channel, by: answer.by });
  }
  return { permissions, decided, kept };
}

function decideKept(
  policy: MergePolicy,
  existing: Permissions | undefined,
  channel: PermissionChannel,
): KeptReason | undefined {
  if (policy.protected.includes(`permission.${channel}`)) return 'field_protected';
  if (existing?.[channel] !== undefined) return 'permission_stated';
  return existing !== undefined && policy.existing === 'ignore' ? 'existing_ignored' : undefined;
}

/** The status and the default are for new contacts. */
function firstAnswer(
  { existing, marketingStatus, defaults }: PermissionQuestion,
  channel: PermissionChannel,
  said: Permission | undefined,
): { permission: Permission; by: Decider } | undefined {
  if (said !== undefined) return { permission: said, by: 'row' };
  if (existing !== undefined) return undefined;
  const status = channel === 'email' ? readPermission(marketingStatus ?? '') : undefined;
  if (status !== undefined) return { permission: status, by: 'marketing_status' };
  const usual = defaults?.[channel];
  return usual === undefined ? undefined : { permission: usual, by: 'default' };
}
