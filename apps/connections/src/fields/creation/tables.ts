import type { WorkspaceId } from '@manifold/contracts';

/** The making of custom fields in one company. */
export interface FieldCreationTable {
  workspace_id: WorkspaceId;
  company_id: string;
  /** Until then somebody makes one. */
  lease_until: Date | null;
  /** Whoever makes it. */
  lease_owner: string | null;
  /** How many custom fields there were when Pipedrive refused another one. */
  full_at: number | null;
  learned_at: Date | null;
}

export interface FieldCreationTables {
  field_creation: FieldCreationTable;
}
