import { z } from 'zod';
import { defineEvent } from './event.ts';
import { ApiKeyId, MemberId, UserId, WorkspaceId } from './ids.ts';
import { eventEnum } from './open-enum.ts';
import { defineRequest } from './request.ts';

export const Role = z.enum(['OWNER', 'ADMIN', 'MEMBER', 'VIEWER']);
export type Role = z.infer<typeof Role>;

/** A feature a workspace may use. All are on by default. */
export const entitlementNames = [
  'playbook_actions',
  'automatic_enrichment',
  'calculated_values',
  'bulk_changes',
  'error_digest',
] as const;
export const EntitlementName = z.enum(entitlementNames);
export type EntitlementName = z.infer<typeof EntitlementName>;

/** Who is asking, on behalf of which workspace: what the gateway signs and every service verifies. */
export const Identity = z.object({
  workspaceId: WorkspaceId,
  userId: UserId,
  role: Role,
  apiKeyId: ApiKeyId,
  /** A feature this release does not know is left out, so that a later one may sign it. */
  entitlements: z
    .array(z.string().max(64))
    .transform((names) => entitlementNames.filter((name) => names.includes(name))),
});
export type Identity = z.infer<typeof Identity>;

export const WorkspaceCreated = defineEvent(
  'workspaces.workspace_created.v1',
  z.object({ workspaceId: WorkspaceId }),
  ({ workspaceId }) => ({ target: { type: 'Workspace', id: workspaceId }, outcome: 'succeeded' }),
);

export const MemberAdded = defineEvent(
  'workspaces.member_added.v1',
  z.object({ memberId: MemberId, userId: UserId, role: eventEnum(Role) }),
  ({ memberId }) => ({ target: { type: 'Member', id: memberId }, outcome: 'succeeded' }),
);

export const MemberRoleChanged = defineEvent(
  'workspaces.member_role_changed.v1',
  z.object({ memberId: MemberId, userId: UserId, role: eventEnum(Role) }),
  ({ memberId }) => ({ target: { type: 'Member', id: memberId }, outcome: 'succeeded' }),
);

/** The user may no longer enter the workspace; the keys made there for the user are revoked with it. */
export const MemberRemoved = defineEvent(
  'workspaces.member_removed.v1',
  z.object({ memberId: MemberId, userId: UserId }),
  ({ memberId }) => ({ target: { type: 'Member', id: memberId }, outcome: 'succeeded' }),
);

export const ApiKeyCreated = defineEvent(
  'workspaces.api_key_created.v1',
  z.object({ apiKeyId: ApiKeyId, userId: UserId }),
  ({ apiKeyId }) => ({ target: { type: 'ApiKey', id: apiKeyId }, outcome: 'succeeded' }),
);

export const ApiKeyRevoked = defineEvent(
  'workspaces.api_key_revoked.v1',
  z.object({ apiKeyId: ApiKeyId, userId: UserId }),
  ({ apiKeyId }) => ({ target: { type: 'ApiKey', id: apiKeyId }, outcome: 'succeeded' }),
);

export const EntitlementChanged = defineEvent(
  'workspaces.entitlement_changed.v1',
  z.object({ name: eventEnum(EntitlementName), enabled: z.boolean() }),
  ({ name }) => ({ target: { type: 'Entitlement', id: name }, outcome: 'succeeded' }),
);

/** Who holds this key? Asked by the gateway; the key itself never travels, only its SHA-256. */
export const Authenticate = defineRequest(
  'request.workspaces.authenticate.v1',
  z.object({
    keyHash: z.string().regex(/^[0-9a-f]{64}$/),
    /** From the header `x-workspace`; chooses where the user of the key has several. */
    chosenWorkspaceId: WorkspaceId.optional(),
  }),
  Identity,
);
