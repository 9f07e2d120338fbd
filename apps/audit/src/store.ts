import type {
  EventActor,
  ApiKeyId,
  AuditEntryId,
  EventId,
  EventSummary,
  PipedriveObject,
  WorkspaceId,
} from '@manifold/contracts';
import type { MessagingTables } from '@manifold/messaging';
import type { Generated, Kysely, Selectable } from 'kysely';

interface AuditEntryTable {
  workspace_id: WorkspaceId;
  /** The event's id with another prefix: one entry per event, by construction. */
  id: AuditEntryId;
  event_id: EventId;
  occurred_at: Date;
  recorded_at: Generated<Date>;
  service: string;
  /** The event's name without its version. */
  action: string;
  actor_kind: EventActor['kind'];
  actor_id: string;
  /** The key a user acted through; null in entries from before it was told. */
  actor_api_key_id: ApiKeyId | null;
  target_type: string;
  target_id: string;
  outcome: EventSummary['outcome'];
  reason: string | null;
  cost_tokens: number | null;
  connection_id: string | null;
  object: PipedriveObject | null;
  pipedrive_id: string | null;
  correlation_id: string;
  causation_id: string | null;
}

/** The things an entry concerns: its target and everything of ours that the event names. */
interface AuditSubjectTable {
  workspace_id: WorkspaceId;
  subject_id: string;
  occurred_at: Date;
  entry_id: AuditEntryId;
}

export interface Tables extends MessagingTables {
  audit_entry: AuditEntryTable;
  audit_subject: AuditSubjectTable;
}

/** A transaction is also a `Db`, so every store function composes into one. */
export type Db = Kysely<Tables>;
export type AuditEntry = Selectable<AuditEntryTable>;
export type NewEntry = Omit<AuditEntry, 'recorded_at'>;
