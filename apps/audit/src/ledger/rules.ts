import {
  AuditEntryId,
  ChangeSetProgressed,
  type EventEnvelope,
  type EventSummary,
  ownerOf,
  typeOfId,
} from '@manifold/contracts';
import type { NewEntry } from '../store.ts';

const MAX_SUBJECTS = 12;
/** Every entry is about its workspace, and no client knows events or receipts. */
const NOT_SUBJECTS = new Set<string | undefined>([
  undefined,
  'Workspace',
  'Event',
  'WebhookReceipt',
]);

/** How far work is: told as often as once a second, and settled by the events of its start and end. */
const PROGRESS: ReadonlySet<string> = new Set([ChangeSetProgressed.name]);

/** Whether an event tells something that happened once and for all. */
export const isFact = (eventName: string): boolean => !PROGRESS.has(eventName);

/** A line of the ledger, and the things under which it is found. */
export interface Line {
  entry: NewEntry;
  subjects: readonly string[];
}

export const lineOf = (event: EventEnvelope, summary: EventSummary): Line => ({
  entry: entryOf(event, summary),
  subjects: subjectsOf(event, summary),
});

/** An event as an entry of the ledger: what its summary says, and nothing else of its payload. */
export function entryOf(event: EventEnvelope, summary: EventSummary): NewEntry {
  return {
    workspace_id: event.workspaceId,
    id: AuditEntryId.parse(`au_${event.id.slice(3)}`),
    event_id: event.id,
    occurred_at: new Date(event.occurredAt),
    service: ownerOf(event.name),
    action: event.name.replace(/\.v\d+$/, ''),
    actor_kind: event.actor.kind,
    actor_id: event.actor.id,
    actor_api_key_id: event.actor.apiKeyId ?? null,
    target_type: summary.target.type,
    target_id: summary.target.id,
    outcome: summary.outcome,
    reason: summary.reason ?? null,
    cost_tokens: summary.costTokens ?? null,
    connection_id: summary.record?.connectionId ?? null,
    object: summary.record?.object ?? null,
    pipedrive_id: summary.record?.pipedriveId ?? null,
    correlation_id: event.correlationId,
    causation_id: event.causationId ?? null,
  };
}

/** Ids of the things an event concerns: its target, and what its payload names up to two levels down. */
export function subjectsOf(event: EventEnvelope, summary: EventSummary): string[] {
  const named = [...textsIn(event.payload, 2)].filter((text) => !NOT_SUBJECTS.has(typeOfId(text)));
  return [...new Set([summary.target.id, ...named])].slice(0, MAX_SUBJECTS);
}

function* textsIn(value: unknown, levels: number): Generator<string> {
  if (typeof value === 'string') yield value;
  if (typeof value !== 'object' || value === null || Array.isArray(value) || levels === 0) return;
  for (const inner of Object.values(value)) yield* textsIn(inner, levels - 1);
}
