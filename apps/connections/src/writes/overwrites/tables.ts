import type {
  ConnectionId,
  OverwriteId,
  PipedriveObject,
  WorkspaceId,
  WriteRequestId,
  WriteStepId,
} from '@manifold/contracts';

export interface OverwriteTables {
  /** A write of ours that replaced a value nobody here had seen. */
  overwrite: {
    workspace_id: WorkspaceId;
    id: OverwriteId;
    write_step_id: WriteStepId;
    write_request_id: WriteRequestId;
    connection_id: ConnectionId;
    company_id: string;
    object: PipedriveObject;
    pipedrive_id: string;
    pipedrive_url: string | null;
    /** Codes of the fields whose value was lost. */
    fields: string[];
    /** The lost values and ours, encrypted; removed when their time is over. */
    sealed_values: string | null;
    values_until: Date;
    state: 'open' | 'restored' | 'dismissed';
    /** The request that puts the values back. */
    restored_by: WriteRequestId | null;
    /** Who asked for the write. */
    actor_kind: 'user' | 'service' | 'pipedrive';
    actor_id: string;
    noticed_at: Date;
    closed_at: Date | null;
  };
}
