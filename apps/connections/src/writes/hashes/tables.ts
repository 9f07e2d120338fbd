import type { PipedriveObject, WorkspaceId } from '@manifold/contracts';

export interface HashTables {
  /** What the fields a step of ours asked for last held, as keyed hashes. */
  record_hash: {
    workspace_id: WorkspaceId;
    company_id: string;
    object: PipedriveObject;
    pipedrive_id: string;
    /** JSON, field code → hashes of its parts. */
    hashes: string;
    /** Of the record when it was last seen; null when that is not known. */
    update_time: Date | null;
    /** When it was last read, written or told of. */
    seen_at: Date;
  };
}
