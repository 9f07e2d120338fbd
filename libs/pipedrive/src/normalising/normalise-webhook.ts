import {
  type FieldDefinition,
  type FieldValue,
  PipedriveObject,
  type PipedriveRecord,
} from '@manifold/contracts';
import { z } from 'zod';
import { normaliseFields, normaliseRecord } from './normalise-record.ts';
import { toInstant } from './shapes.ts';

const id = z.union([z.string().min(1).max(64), z.number()]).transform(String);
const body = z.record(z.string(), z.unknown()).nullable();

const payload = z.object({
  meta: z.looseObject({
    id: z.string().min(1).max(100),
    action: z.enum(['create', 'change', 'delete']),
    entity: z.string().max(40),
    entity_id: id,
    company_id: id,
    user_id: id.nullish(),
    webhook_id: id.nullish(),
    correlation_id: z.string().max(100).nullish(),
    timestamp: z.union([z.string(), z.number()]),
    attempt: z.number().int().positive().catch(1),
    change_source: z.enum(['app', 'api']).nullish().catch(null),
    is_bulk_edit: z.boolean().nullish(),
    merged_to_id: id.nullish(),
    merged_from_id: id.nullish(),
    permitted_user_ids: z.array(id).max(10_000).nullish().catch(null),
  }),
  data: body.nullish(),
  previous: body.nullish(),
});

/** One change of one record, as a webhook (version 2.0) tells it. Delivered at least once, in any order. */
export interface WebhookEvent {
  /** Pipedrive's id of the event; the same on every attempt to deliver it. */
  id: string;
  action: 'create' | 'change' | 'delete';
  object: PipedriveObject;
  recordId: string;
  companyId: string;
  /** Who made the change. */
  userId: string | null;
  webhookId: string | null;
  correlationId: string | null;
  /** When it happened, RFC 3339 UTC in milliseconds where Pipedrive says so. */
  occurredAt: string;
  attempt: number;
  changeSource: 'app' | 'api' | null;
  bulkEdit: boolean;
  /** On the delete of a record that lost a merge: the survivor. */
  mergedInto: string | null;
  /** On the change of the survivor: the record that is gone. */
  mergedFrom: string | null;
  /** Users who may see the record; null when Pipedrive does not say. */
  permittedUserIds: readonly string[] | null;
  /** The record after the change; for a delete its last state with `deleted` true. */
  record: PipedriveRecord;
  /** Values before a change, of the changed fields only; null when there was no record before. */
  previous: Record<string, FieldValue> | null;
}

export type WebhookReading =
  | { outcome: 'understood'; event: WebhookEvent }
  /** A kind of record Manifold does not follow. */
  | { outcome: 'foreign_object'; entity: string }
  /** Not a version 2.0 webhook. `cause` names the place, never a value. */
  | { outcome: 'malformed'; cause: string };

/** Webhooks nest custom fields for every object, leads too; without any, nothing is known of them. */
const nested = (state: Record<string, unknown>): Record<string, unknown> => ({
  ...state,
  custom_fields: state.custom_fields ?? {},
});

/** Reads the body of a webhook. Never throws. */
export function normaliseWebhook(
  received: unknown,
  definitions: readonly FieldDefinition[] = [],
): WebhookReading {
  const parsed = payload.safeParse(received);
  if (!parsed.success) {
    const path = parsed.error.issues[0]?.path.join('.') ?? '';
    return {
      outcome: 'malformed',
      cause: path === '' ? 'not an object' : `${path} is not readable`,
    };
  }
  const { meta, data, previous } = parsed.data;
  const object = PipedriveObject.safeParse(meta.entity);
  if (!object.success) return { outcome: 'foreign_object', entity: meta.entity };
  const occurredAt = toInstant(meta.timestamp);
  if (occurredAt === null) return { outcome: 'malformed', cause: 'meta.timestamp is no time' };
  const deletes = meta.action === 'delete';
  const state = deletes ? previous : data;
  if (!deletes && !state) return { outcome: 'malformed', cause: 'data is missing' };
  const its = definitions.filter((definition) => definition.object === object.data);
  const record = normaliseRecord(object.data, nested({ ...state, id: meta.entity_id }), its);
  return {
    outcome: 'understood',
    event: {
      id: meta.id,
      action: meta.action,
      object: object.data,
      recordId: meta.entity_id,
      companyId: meta.company_id,
      userId: meta.user_id ?? null,
      webhookId: meta.webhook_id ?? null,
      correlationId: meta.correlation_id ?? null,
      occurredAt,
      attempt: meta.attempt,
      changeSource: meta.change_source ?? null,
      bulkEdit: meta.is_bulk_edit ?? false,
      mergedInto: meta.merged_to_id ?? null,
      mergedFrom: meta.merged_from_id ?? null,
      permittedUserIds: meta.permitted_user_ids ?? null,
      record: deletes ? { ...record, deleted: true } : record,
      previous: previous ? normaliseFields(object.data, nested(previous), its) : null,
    },
  };
}
