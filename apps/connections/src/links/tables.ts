import type { PipedriveObject, WorkspaceId, WriteStepId } from '@manifold/contracts';

export interface LinkTables {
  /** Which record an identity key means. Keys are keyed hashes, never values. */
  link: {
    workspace_id: WorkspaceId;
    company_id: string;
    object: PipedriveObject;
    key_hash: string;
    /** `creating` while the step that holds the key has sent a create whose end is not known. */
    state: 'creating' | 'linked' | 'gone';
    pipedrive_id: string | null;
    step_id: WriteStepId | null;
    updated_at: Date;
  };
}
