import { z } from 'zod';

/** Prefix of every id → the graph type it names; `node(id)` resolves by it. Ids are UUIDv7, hex. */
export const idPrefixes = {
  ws: 'Workspace',
  us: 'User',
  mb: 'Member',
  ak: 'ApiKey',
  cn: 'Connection',
  wh: 'WebhookReceipt',
  wr: 'WriteRequest',
  st: 'WriteStep',
  cs: 'ChangeSet',
  ch: 'Change',
  ow: 'Overwrite',
  cc: 'CompletenessCertificate',
  fm: 'FieldMapping',
  ds: 'DataSource',
  sr: 'SyncRun',
  ct: 'Contact',
  ac: 'Account',
  cp: 'Campaign',
  ru: 'ReferralUser',
  au: 'AuditEntry',
  ev: 'Event',
} as const;

export type IdPrefix = keyof typeof idPrefixes;

const idOf = <Prefix extends IdPrefix>(prefix: Prefix) =>
  z.string().regex(new RegExp(`^${prefix}_[0-9a-f]{32}$`), `not an id that starts with ${prefix}_`);

export const WorkspaceId = idOf('ws').brand<'WorkspaceId'>();
export type WorkspaceId = z.infer<typeof WorkspaceId>;
export const UserId = idOf('us').brand<'UserId'>();
export type UserId = z.infer<typeof UserId>;
export const MemberId = idOf('mb').brand<'MemberId'>();
export type MemberId = z.infer<typeof MemberId>;
export const ApiKeyId = idOf('ak').brand<'ApiKeyId'>();
export type ApiKeyId = z.infer<typeof ApiKeyId>;
export const ConnectionId = idOf('cn').brand<'ConnectionId'>();
export type ConnectionId = z.infer<typeof ConnectionId>;
export const WebhookReceiptId = idOf('wh').brand<'WebhookReceiptId'>();
export type WebhookReceiptId = z.infer<typeof WebhookReceiptId>;
export const WriteRequestId = idOf('wr').brand<'WriteRequestId'>();
export type WriteRequestId = z.infer<typeof WriteRequestId>;
export const WriteStepId = idOf('st').brand<'WriteStepId'>();
export type WriteStepId = z.infer<typeof WriteStepId>;
export const ChangeSetId = idOf('cs').brand<'ChangeSetId'>();
export type ChangeSetId = z.infer<typeof ChangeSetId>;
export const ChangeId = idOf('ch').brand<'ChangeId'>();
export type ChangeId = z.infer<typeof ChangeId>;
export const OverwriteId = idOf('ow').brand<'OverwriteId'>();
export type OverwriteId = z.infer<typeof OverwriteId>;
export const CompletenessCertificateId = idOf('cc').brand<'CompletenessCertificateId'>();
export type CompletenessCertificateId = z.infer<typeof CompletenessCertificateId>;
export const FieldMappingId = idOf('fm').brand<'FieldMappingId'>();
export type FieldMappingId = z.infer<typeof FieldMappingId>;
export const DataSourceId = idOf('ds').brand<'DataSourceId'>();
export type DataSourceId = z.infer<typeof DataSourceId>;
export const SyncRunId = idOf('sr').brand<'SyncRunId'>();
export type SyncRunId = z.infer<typeof SyncRunId>;
export const ContactId = idOf('ct').brand<'ContactId'>();
export type ContactId = z.infer<typeof ContactId>;
export const AccountId = idOf('ac').brand<'AccountId'>();
export type AccountId = z.infer<typeof AccountId>;
export const CampaignId = idOf('cp').brand<'CampaignId'>();
export type CampaignId = z.infer<typeof CampaignId>;
export const ReferralUserId = idOf('ru').brand<'ReferralUserId'>();
export type ReferralUserId = z.infer<typeof ReferralUserId>;
export const AuditEntryId = idOf('au').brand<'AuditEntryId'>();
export type AuditEntryId = z.infer<typeof AuditEntryId>;
export const EventId = idOf('ev').brand<'EventId'>();
export type EventId = z.infer<typeof EventId>;

/** Turns UUIDv7 bytes (hex, with or without hyphens) into an id of the given kind. */
export const idFromUuid = <Prefix extends IdPrefix>(prefix: Prefix, uuid: string): string =>
  `${prefix}_${uuid.replaceAll('-', '')}`;

/** The graph type an id names, or undefined when it is no id of ours. */
export function typeOfId(id: string): (typeof idPrefixes)[IdPrefix] | undefined {
  const match = /^([a-z]{2})_[0-9a-f]{32}$/.exec(id);
  const entry = Object.entries(idPrefixes).find(([prefix]) => prefix === match?.[1]);
  return entry?.[1];
}
