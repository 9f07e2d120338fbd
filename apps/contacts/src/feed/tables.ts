import type { DataSourceId, SyncRunId, WorkspaceId } from '@manifold/contracts';
import type { SyncedObject } from '../sources/tables.ts';

export const activityKinds = [
  'SOURCE_CREATED',
  'SOURCE_UPDATED',
  'SOURCE_DISCONNECTED',
  'SOURCE_RECONNECTED',
  'SOURCE_ARCHIVED',
  'SOURCE_RESTORED',
  'SOURCE_DELETED',
  'RUN_QUEUED',
  'RUN_ENDED',
  'RECORD_CREATED',
  'RECORD_UPDATED',
  'RECORD_DELETED',
  'RECORD_DETACHED',
  'RECORD_SKIPPED',
] as const;
export type ActivityKind = (typeof activityKinds)[number];

/** Something that happened to a source, one of its runs or one of its records. */
export interface SourceActivity {
  workspace_id: WorkspaceId;
  data_source_id: DataSourceId;
  /** Grows; given by the database. */
  id: string;
  kind: ActivityKind;
  sync_run_id: SyncRunId | null;
  object: SyncedObject | null;
  pipedrive_id: string | null;
  entity_id: string | null;
  reason: string | null;
  changed_keys: readonly string[];
  happened_at: Date;
}
