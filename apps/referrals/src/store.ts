import type {
  CampaignId,
  ConnectionId,
  FieldDefinition,
  FieldMappingId,
  MappingPurpose,
  MappingRow,
  MappingSource,
  ReasonCode,
  ReferralUserId,
  WorkspaceId,
  WriteRequestId,
} from '@manifold/contracts';
import type { IdempotencyTables } from '@manifold/database';
import type { MessagingTables } from '@manifold/messaging';
import type { ColumnType, Generated, Insertable, Kysely, Selectable, Transaction } from 'kysely';

type Json<Value> = ColumnType<Value, string, string>;

/** A field the operator added to the sign-up form. */
export interface FormField {
  key: string;
  label: string;
  required: boolean;
}

/** Fixed values for new records, and the definitions of the fields they go to. */
export interface Defaults {
  rows: MappingRow[];
  catalogue: FieldDefinition[];
}

interface CampaignTable {
  workspace_id: WorkspaceId;
  id: CampaignId;
  name: string;
  connection_id: ConnectionId;
  mapping_id: FieldMappingId | null;
  outcome: 'LEAD';
  update_existing: boolean;
  defaults: Json<Defaults>;
  form_fields: Json<FormField[]>;
  link_base: string;
  state: 'DRAFT' | 'OPEN' | 'PAUSED';
  created_at: Date;
  updated_at: Date;
}

/** The newest published version of each referral mapping, so that sign-ups need no other service. */
interface MappingCopyTable {
  workspace_id: WorkspaceId;
  mapping_id: FieldMappingId;
  version: number;
  connection_id: ConnectionId;
  purpose: MappingPurpose;
  hash: string;
  source: Json<MappingSource>;
  fetched_at: Date;
}

interface ReferralUserTable {
  workspace_id: WorkspaceId;
  id: ReferralUserId;
  campaign_id: CampaignId;
  /** As typed. */
  email: string;
  /** In small letters; plus tags stay (RF-27). */
  email_key: string;
  first_name: string;
  last_name: string | null;
  attributes: Json<Record<string, string>>;
  code: string;
  link: string;
  referred_by: ReferralUserId | null;
  referral_count: ColumnType<number, never, number>;
  is_test: boolean;
  /** The idempotency key of the sign-up that made this user. */
  signup_key: string | null;
  signed_up_at: Date;
  delivery_state: 'QUEUED' | 'DELIVERED' | 'SKIPPED' | 'PARKED';
  delivery_reason: ReasonCode | null;
  delivery_fix: string | null;
  delivery_settled_at: Date | null;
  write_request_id: WriteRequestId | null;
  /** Which write request for this sign-up it is; one that connections did not take does not count. */
  delivery_attempt: Generated<number>;
  /** A step was carried out: from then on the request is redriven and never replaced. */
  delivery_written: Generated<boolean>;
  /** The request was cancelled before it was through. */
  delivery_cancelled: Generated<boolean>;
  /** The request the attempt under way takes the place of. */
  superseded_request_id: WriteRequestId | null;
  mapping_id: FieldMappingId | null;
  mapping_version: number | null;
  person_pipedrive_id: string | null;
  person_url: string | null;
  lead_pipedrive_id: string | null;
  lead_url: string | null;
}

export interface Tables extends MessagingTables, IdempotencyTables {
  campaign: CampaignTable;
  mapping_copy: MappingCopyTable;
  referral_user: ReferralUserTable;
}

/** A transaction is also a `Db`, so every store function composes into one. */
export type Db = Kysely<Tables>;
export type Tx = Transaction<Tables>;
export type Campaign = Selectable<CampaignTable>;
export type NewCampaign = Insertable<CampaignTable>;
export type MappingCopy = Selectable<MappingCopyTable>;
export type NewMappingCopy = Insertable<MappingCopyTable>;
export type ReferralUser = Selectable<ReferralUserTable>;
export type NewReferralUser = Insertable<ReferralUserTable>;
