import type {
  ConnectionId,
  FieldDefinition,
  FieldMappingId,
  MappingPurpose,
  MappingRow,
  MappingSource,
  MergePolicy,
  PipedriveObject,
  UserId,
  WorkspaceId,
} from '@manifold/contracts';
import type { IdempotencyTables } from '@manifold/database';
import type { MessagingTables } from '@manifold/messaging';
import type { ColumnType, Insertable, Kysely, Selectable, Transaction } from 'kysely';

type Json<Value> = ColumnType<Value, string, string>;

/** The working copy of a mapping. */
interface FieldMappingTable {
  workspace_id: WorkspaceId;
  id: FieldMappingId;
  name: string;
  purpose: MappingPurpose;
  connection_id: ConnectionId;
  /** PUBLISHED: the newest version holds exactly these rows and this policy. */
  state: 'DRAFT' | 'PUBLISHED';
  /** The newest published version. */
  version: number | null;
  rows: Json<MappingRow[]>;
  policy: Json<MergePolicy>;
  /** The fields the rows name, as they were when somebody last took them over. */
  fields: ColumnType<FieldDefinition[], string | undefined, string>;
  created_at: Date;
  updated_at: Date;
}

/** A published version: never changed, never removed. */
interface MappingVersionTable {
  workspace_id: WorkspaceId;
  mapping_id: FieldMappingId;
  version: number;
  hash: string;
  source: Json<MappingSource>;
  published_at: Date;
}

/** Pipedrive's fields as connections last told them, so that reading works while it is away. */
interface FieldCatalogueTable {
  workspace_id: WorkspaceId;
  connection_id: ConnectionId;
  object: PipedriveObject;
  /** A bigint: read as text. */
  revision: ColumnType<string, number, number>;
  fields: Json<FieldDefinition[]>;
  read_at: Date;
}

/** A field a row rests on is no longer what it was when the row was saved or published. */
interface MappingDriftTable {
  workspace_id: WorkspaceId;
  mapping_id: FieldMappingId;
  row_id: string;
  change: 'RENAMED' | 'RETYPED' | 'OPTIONS_LOST' | 'REMOVED';
  object: PipedriveObject;
  field: string;
  before: string | null;
  after: string | null;
  /** It concerns the newest version. */
  published: boolean;
  /** It concerns the working copy. */
  working: boolean;
  /** The row cannot be used as it is; the others of its mapping can. */
  quarantined: boolean;
  since: Date;
}

/** What one person wants to see of a kind of record, in order. */
interface DisplayConfigTable {
  workspace_id: WorkspaceId;
  user_id: UserId;
  object: 'CONTACT' | 'ACCOUNT';
  fields: Json<string[]>;
  updated_at: Date;
}

export interface Tables extends MessagingTables, IdempotencyTables {
  field_mapping: FieldMappingTable;
  mapping_version: MappingVersionTable;
  field_catalogue: FieldCatalogueTable;
  mapping_drift: MappingDriftTable;
  display_config: DisplayConfigTable;
}

/** A transaction is also a `Db`, so every store function composes into one. */
export type Db = Kysely<Tables>;
export type Tx = Transaction<Tables>;
export type FieldMapping = Selectable<FieldMappingTable>;
export type NewFieldMapping = Insertable<FieldMappingTable>;
export type MappingVersion = Selectable<MappingVersionTable>;
export type NewMappingVersion = Insertable<MappingVersionTable>;
export type FieldCatalogue = Selectable<FieldCatalogueTable>;
export type NewFieldCatalogue = Insertable<FieldCatalogueTable>;
export type MappingDrift = Selectable<MappingDriftTable>;
export type DisplayConfig = Selectable<DisplayConfigTable>;
