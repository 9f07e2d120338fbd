import type { ConnectionId, PipedriveObject, WorkspaceId } from '@manifold/contracts';

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
  /** A record named a field that is not in it. */
  is_stale: boolean;
}

export interface FieldTables {
  field_catalogue: FieldCatalogueTable;
}
