import type {
  ConnectionId,
  FieldDefinition,
  FieldMappingId,
  MappingPurpose,
  MappingRow,
  MappingSource,
  MergePolicy,
  PipedriveObject,
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

export interface Tables extends MessagingTables, IdempotencyTables {
  field_mapping: FieldMappingTable;
  mapping_version: MappingVersionTable;
  field_catalogue: FieldCatalogueTable;
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
