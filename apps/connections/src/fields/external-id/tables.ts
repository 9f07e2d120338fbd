import type { ConnectionId, ReasonCode, UserId, WorkspaceId } from '@manifold/contracts';
import type { ExternalIdObject } from './rules.ts';

/** Consent to a field for our own ids in one company, and the field. */
export interface ExternalIdFieldTable {
  workspace_id: WorkspaceId;
  company_id: string;
  object: ExternalIdObject;
  /** The connection it was allowed for; the consent ends with it. */
  connection_id: ConnectionId;
  allowed_by: UserId;
  allowed_at: Date;
  /** Null until the first create, and again when somebody deleted the field. */
  field_code: string | null;
  found_at: Date | null;
  /** Until then one replica is making it. */
  lease_until: Date | null;
  lease_owner: string | null;
  /** Why Pipedrive would not have it. */
  refused_reason: ReasonCode | null;
  /** Not tried again before. */
  ask_again_at: Date | null;
}

export interface ExternalIdTables {
  external_id_field: ExternalIdFieldTable;
}

export type ExternalIdField = ExternalIdFieldTable;
