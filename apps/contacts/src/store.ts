import type {
  AccountId,
  Actor,
  ConnectionId,
  ContactId,
  DataSourceId,
  FieldMappingId,
  MappingSource,
  Permission,
  PermissionChannel,
  SyncRunId,
  VariableValue,
  WorkspaceId,
} from '@manifold/contracts';
import type { IdempotencyTables } from '@manifold/database';
import type { MessagingTables } from '@manifold/messaging';
import type { ColumnType, Kysely, Selectable, Transaction } from 'kysely';
import type { SourceActivity } from './feed/tables.ts';
import type { DataSource, SyncedObject } from './sources/tables.ts';

export type { SourceActivity } from './feed/tables.ts';
export type { DataSource, ReadySource, SyncedObject } from './sources/tables.ts';

type Json<Value> = ColumnType<Value, string, string>;

export type RunState = 'QUEUED' | 'RUNNING' | 'WAITING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
export type Values = Record<string, VariableValue>;

/** A published mapping as fetched, so that records are mapped while field-mapping is away. */
interface MappingCopyTable {
  workspace_id: WorkspaceId;
  mapping_id: FieldMappingId;
  version: number;
  hash: string;
  source: Json<MappingSource>;
  fetched_at: Date;
}

interface SyncRunTable {
  workspace_id: WorkspaceId;
  id: SyncRunId;
  data_source_id: DataSourceId;
  kind: 'INITIAL' | 'INCREMENTAL';
  state: RunState;
  mapping_version: number;
  /** An incremental run reads what changed since. */
  updated_since: Date | null;
  /** The object being read, and where in it the next page begins. */
  object: SyncedObject;
  cursor: string | null;
  counts: Json<Record<string, number>>;
  done: number;
  /** An estimate from `sizes` until the end; null while it is unknown. */
  total: number | null;
  sizes: Json<Sizes>;
  /** The last seconds of the run: how much was done when, in milliseconds. */
  samples: Json<readonly Sample[]>;
  cost_tokens: number;
  reason: string | null;
  /** Failures in a row. */
  attempts: number;
  not_before: Date;
  lease_id: string | null;
  lease_until: Date | null;
  actor: Json<Actor>;
  correlation_id: string;
  created_at: Date;
  started_at: Date | null;
  ended_at: Date | null;
}

/** How much there is of one object, and how much of it is read. */
export interface ObjectSize {
  /** As Pipedrive counted it. */
  count: number | null;
  /** When the run began. */
  highestId: number | null;
  done: number;
  lastId: number;
  finished: boolean;
}
export type Sizes = Partial<Record<SyncedObject, ObjectSize>>;

export interface Sample {
  at: number;
  done: number;
}

interface ContactTable {
  workspace_id: WorkspaceId;
  id: ContactId;
  name: string;
  /** Lower case, for order and search. */
  name_sort: string;
  /** Lower case; empty when there is none. */
  email: string;
  phone: string;
  account_id: AccountId | null;
  values: Json<Values>;
  /** Variable → the data source that vouches for it; empty while there is only one. */
  origins: Json<Record<string, string>>;
  /** The data source whose record made it. */
  added_by: DataSourceId | null;
  subscriptions: Json<Subscriptions>;
  created_at: Date;
  updated_at: Date;
}

/** What a person allows on a channel, who said so, and since when. */
export interface Subscription {
  permission: Permission;
  by: 'row' | 'marketing_status' | 'default' | 'person';
  since: string;
}
/** A channel that is not there was never asked about. */
export type Subscriptions = Partial<Record<PermissionChannel, Subscription>>;

interface AccountTable {
  workspace_id: WorkspaceId;
  id: AccountId;
  name: string;
  name_sort: string;
  values: Json<Values>;
  origins: Json<Record<string, string>>;
  created_at: Date;
  updated_at: Date;
}

/** What a record of Pipedrive became here, and the newest state of it that was stored. */
interface RecordLinkTable {
  workspace_id: WorkspaceId;
  data_source_id: DataSourceId;
  connection_id: ConnectionId;
  object: SyncedObject;
  pipedrive_id: string;
  /** Contact or account; after a merge the survivor's; null when the record is gone. */
  entity_id: string | null;
  update_time: Date | null;
  /** Revision of the webhook that wrote last; null when a page did. */
  webhook_ms: string | null;
  mapping_version: number;
  /** The organization a person points at while it is not here. */
  awaited_organization: string | null;
  /** Set when the record was deleted or merged away: a late page or change does not bring it back. */
  deleted_at: Date | null;
}

export interface Tables extends MessagingTables, IdempotencyTables {
  data_source: DataSource;
  mapping_copy: MappingCopyTable;
  sync_run: SyncRunTable;
  contact: ContactTable;
  account: AccountTable;
  record_link: RecordLinkTable;
  source_activity: SourceActivity;
}

/** A transaction is also a `Db`, so every store function composes into one. */
export type Db = Kysely<Tables>;
export type Tx = Transaction<Tables>;
export type MappingCopy = Selectable<MappingCopyTable>;
export type SyncRun = Selectable<SyncRunTable>;
export type Contact = Selectable<ContactTable>;
export type Account = Selectable<AccountTable>;
export type RecordLink = Selectable<RecordLinkTable>;
