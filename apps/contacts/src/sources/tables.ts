import type { ConnectionId, DataSourceId, FieldMappingId, WorkspaceId } from '@manifold/contracts';

/** The objects of Pipedrive a data source reads, in the order a run reads them. */
export type SyncedObject = 'organization' | 'person';

export type SourceState = 'DRAFT' | 'ACTIVE' | 'DISCONNECTED' | 'ARCHIVED' | 'DELETED';
export type SetupStep =
  | 'CONNECT'
  | 'FIELDS'
  | 'RETENTION'
  | 'SELECTION'
  | 'MERGE'
  | 'SYNC'
  | 'DONE';

/** One Pipedrive connection read through one mapping; a draft may lack both. */
export interface DataSource {
  workspace_id: WorkspaceId;
  id: DataSourceId;
  name: string;
  connection_id: ConnectionId | null;
  /** As connections tells it; the first part of every link into Pipedrive. */
  company_url: string | null;
  mapping_id: FieldMappingId | null;
  mapping_version: number | null;
  state: SourceState;
  /** Where in the wizard a draft was left. */
  step: SetupStep;
  retention_days: number;
  /** True: a person without e-mail address, phone number and user id makes no contact (WX-10). */
  require_identifier: boolean;
  created_at: Date;
  updated_at: Date;
}

type SourceParts = Pick<
  DataSource,
  'connection_id' | 'company_url' | 'mapping_id' | 'mapping_version'
>;
/** A source whose parts are chosen: any that is no draft. */
export type ReadySource = DataSource & {
  [Part in keyof SourceParts]: NonNullable<SourceParts[Part]>;
};
