import type {
  ApiKeyId,
  ChangeId,
  ChangeSetId,
  ConnectionId,
  FieldMappingId,
  PipedriveObject,
  ReasonCode,
  UserId,
  WorkspaceId,
  WriteRequestId,
  WriteStep,
  WriteStepId,
} from '@manifold/contracts';
import type { Lane } from '../budget/tables.ts';
import type { HashTables } from './hashes/tables.ts';
import type { OverwriteTables } from './overwrites/tables.ts';

/** `planned`: earlier steps come first. `queued`: may be sent. Only `planned` to `unknown` still move on their own. */
export type StepState =
  | 'planned'
  | 'queued'
  | 'sending'
  | 'unknown'
  | 'applied'
  | 'no_change'
  | 'superseded'
  | 'skipped'
  | 'parked'
  | 'cancelled';

export type StepEffect = 'created' | 'updated' | 'merged' | 'linked' | 'deleted' | 'none';

export type RequestState = 'pending' | 'succeeded' | 'skipped' | 'parked' | 'cancelled';

export interface WriteTables extends HashTables, OverwriteTables {
  write_request: {
    workspace_id: WorkspaceId;
    id: WriteRequestId;
    connection_id: ConnectionId;
    company_id: string;
    acting_user_id: UserId | null;
    idempotency_key: string;
    /** Keyed hash of what was asked for, to tell a repeat from another command under the same key. */
    body_hash: string;
    state: RequestState;
    reason: ReasonCode | null;
    lane: Lane;
    cause_service: string;
    cause_type: string;
    cause_id: string;
    actor_kind: 'user' | 'service' | 'pipedrive';
    actor_id: string;
    /** The key a user asked through. */
    actor_api_key_id: ApiKeyId | null;
    correlation_id: string;
    mapping_id: FieldMappingId | null;
    mapping_version: number | null;
    /** Part of this change set: nothing of it is sent before `released_at`. */
    change_set_id: ChangeSetId | null;
    released_at: Date | null;
    created_at: Date;
    settled_at: Date | null;
  };
  write_step: {
    workspace_id: WorkspaceId;
    id: WriteStepId;
    write_request_id: WriteRequestId;
    connection_id: ConnectionId;
    company_id: string;
    /** What a change set planned for it. */
    change_id: ChangeId | null;
    position: number;
    name: string;
    operation: WriteStep['operation'];
    object: PipedriveObject;
    existing: WriteStep['existing'];
    guard: WriteStep['guard'];
    /** JSON, field code → name of an earlier step. */
    refers_to: string;
    /** Keyed hashes of the identity, in order of trust; of the cause when there is none. */
    key_hashes: string[];
    /** Of a merge: the keys of the record that stays, or of the step that names it. */
    survivor_hashes: string[];
    /** Identity and fields, encrypted; removed at the end. */
    sealed_body: string | null;
    /** The exact body of the call in hand or of unknown end, encrypted; removed at the end. */
    sealed_sent: string | null;
    /** JSON, field code → keyed hashes of what a call wrote, to tell its webhook from another change. */
    sent_hashes: string | null;
    state: StepState;
    /** Took over what this one was to write; the body is kept until that one ends. */
    superseded_by: WriteStepId | null;
    lane: Lane;
    /** What it is sent as a part of: its change set, else the service that asked. */
    job: string;
    not_before: Date;
    lease_until: Date | null;
    lease_owner: string | null;
    /** Grows with every lease; whoever writes back with a lower one has lost the step. */
    fence: number;
    attempts: number;
    /** JSON, keyed hash of a key → what a search for it has shown and when; while it is put off. */
    searched: string | null;
    /** Creates sent whose end never became known. */
    unknown_creates: number;
    sent_at: Date | null;
    sent_effect: StepEffect | null;
    settle_until: Date | null;
    /** What the record of an open create carries and no other does; opaque. */
    mark: string | null;
    /** Record a webhook showed that matches what an open create sent. */
    echo_pipedrive_id: string | null;
    /** What the fields of an update held before it and were given, encrypted; kept for a while. */
    sealed_before: string | null;
    sealed_after: string | null;
    images_until: Date | null;
    effect: StepEffect | null;
    reason: ReasonCode | null;
    cause: string | null;
    fix: string | null;
    pipedrive_id: string | null;
    /** The record it is about, as far as that is known before it ends. */
    target_pipedrive_id: string | null;
    pipedrive_url: string | null;
    /** Of a merge that was sent: the record that disappears. */
    loser_pipedrive_id: string | null;
    /** `update_time` of the record after our write, as Pipedrive answered. */
    record_update_time: string | null;
    candidates: string[];
    changed_keys: string[];
    cost_tokens: number;
    created_at: Date;
    settled_at: Date | null;
  };
  /**
   * The keys and the records of every step that may be sent or has been: the lowest number goes first,
   * alone. A record is spelled `record|<object>|<id>`.
   */
  write_turn: {
    workspace_id: WorkspaceId;
    company_id: string;
    key_hash: string;
    turn: string;
    step_id: WriteStepId;
  };
}
