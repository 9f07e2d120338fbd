import type { ConnectionId, PipedriveObject, WorkspaceId } from '@manifold/contracts';
import type { FieldChangeTables } from './changes/tables.ts';
import type { FieldCreationTables } from './creation/tables.ts';
import type { ExternalIdTables } from './external-id/tables.ts';

/** The fields of one object as last read; one row holds the whole catalogue. */
export interface FieldCatalogueTable {
  workspace_id: WorkspaceId;
  connection_id: ConnectionId;
  object: PipedriveObject;
  /** Grows with every difference found. */
  revision: number;
  /** JSON of `FieldDefinition[]`: names and options, never values. */
  definitions: string;
  read_at: Date;
  /** Before the first page of it was asked for; what was asked for earlier does not replace it. */
  asked_at: Date;
  /** A record named a field that is not in it. */
  is_stale: boolean;
}

export interface FieldTables extends FieldChangeTables, FieldCreationTables, ExternalIdTables {
  field_catalogue: FieldCatalogueTable;
}
