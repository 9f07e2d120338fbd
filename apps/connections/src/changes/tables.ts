import type {
  ApiKeyId,
  ChangeId,
  ChangeSetId,
  ConnectionId,
  PipedriveObject,
  ReasonCode,
  UserId,
  WorkspaceId,
  WriteRequestId,
  WriteStepId,
} from '@manifold/contracts';

/** `cancelling`: cancelled, and the rows that were not sent are still being closed. */
export type ChangeSetState =
  | 'open'
  | 'planning'
  | 'awaiting_approval'
  | 'applying'
  | 'paused'
  | 'cancelling'
  | 'cancelled'
  | 'done'
  | 'failed';

export type ChangeEffect = 'create' | 'update' | 'delete' | 'merge' | 'link' | 'none';

/** How the record of a change was found. */
export type MatchedBy = 'pipedrive_id' | 'link' | 'index' | 'search';

export interface ChangeTables {
  change_set: {
    workspace_id: WorkspaceId;
    id: ChangeSetId;
    connection_id: ConnectionId;
    company_id: string;
    kind: 'WRITE' | 'UNDO';
    undoes_id: ChangeSetId | null;
    title: string;
    state: ChangeSetState;
    /** Why it waits for a person, was cancelled or failed. */
    reason: ReasonCode | null;
    cause_service: string;
    cause_type: string;
    cause_id: string;
    actor_kind: 'user' | 'service' | 'pipedrive';
    actor_id: string;
    /** The API key they asked through. */
    actor_api_key_id: ApiKeyId | null;
    correlation_id: string;
    max_records: number | null;
    max_percent: number | null;
    allow_deletes: boolean;
    allow_merges: boolean;
    change_count: number;
    /** Of an undo: the last change of the other set that has its counterpart here; '' at the start, null at the end. */
    undo_cursor: string | null;
    hash: string | null;
    price_tokens: number | null;
    /** Kinds of record whose field for external ids the price counts; null: planned before that was noted. */
    makes_fields: PipedriveObject[] | null;
    /** Tokens spent on reading, for the plan and before applying. */
    spent_tokens: number;
    /** Only so many changes are approved; null with `approved_at` set: all of them. */
    approved_changes: number | null;
    approved_by: string | null;
    approved_at: Date | null;
    /** Whose writes they are in Pipedrive, and through which own connection; null: the organization's. */
    acting_user_id: UserId | null;
    acting_connection_id: ConnectionId | null;
    /** Days the values before and after are kept once it ended. */
    image_days: number;
    /** Until when its values are kept; one that has not ended by then is cancelled. Null: none are left. */
    images_until: Date | null;
    not_before: Date;
    lease_until: Date | null;
    lease_owner: string | null;
    /** Grows with every lease and every decision of a person; whoever writes back with a lower one has lost the set. */
    fence: number;
    attempts: number;
    /** Why the work on it pauses, for example `budget_spent`. */
    waiting_reason: ReasonCode | null;
    created_at: Date;
    closed_at: Date | null;
    planned_at: Date | null;
    started_at: Date | null;
    ended_at: Date | null;
  };
  change: {
    workspace_id: WorkspaceId;
    id: ChangeId;
    change_set_id: ChangeSetId;
    write_request_id: WriteRequestId;
    write_step_id: WriteStepId;
    undoes_change_id: ChangeId | null;
    object: PipedriveObject;
    /** Null until it is planned. */
    effect: ChangeEffect | null;
    matched_by: MatchedBy | null;
    pipedrive_id: string | null;
    /** Why nothing, or not all, is going to be written. */
    reason: ReasonCode | null;
    /** The same in words, where there is more to say than the reason; never a value. */
    planned_cause: string | null;
    planned_fix: string | null;
    changed_keys: string[];
    /** Of an undo: fields left as they are because somebody changed them since. */
    kept_keys: string[];
    candidates: string[];
    /** `update_time` of the record as it was planned on. */
    record_update_time: string | null;
    /** The fields that are written, as they were and as they are to be; encrypted. */
    sealed_before: string | null;
    sealed_after: string | null;
    after_hash: string | null;
    price_tokens: number;
    /** When the record was last seen to be as planned. */
    checked_at: Date | null;
  };
  write_policy: {
    workspace_id: WorkspaceId;
    automatic: 'NEVER' | 'UPDATES' | 'ALL';
    automatic_max_records: number | null;
    max_records: number | null;
    max_percent: number | null;
    allow_deletes: boolean;
    allow_merges: boolean;
    image_days: number;
    approver_role: 'MEMBER' | 'ADMIN' | 'OWNER';
    updated_at: Date;
  };
}
