import { z } from 'zod';
import { defineEvent } from './event.ts';
import { ConnectionId, OverwriteId, WebhookReceiptId, WriteRequestId, WriteStepId } from './ids.ts';
import { PipedriveObject } from './pipedrive-records.ts';
import { EventReason } from './reasons.ts';

export const ConnectionStatus = z.enum(['ACTIVE', 'DISABLED', 'NEEDS_REAUTH']);
export type ConnectionStatus = z.infer<typeof ConnectionStatus>;

const aboutConnection = (id: string) => ({ type: 'Connection', id });

export const ConnectionEstablished = defineEvent(
  'connections.connection_established.v1',
  z.object({
    connectionId: ConnectionId,
    /** Pipedrive's company id. */
    companyId: z.string().max(32),
    kind: z.enum(['ORGANIZATION', 'PERSONAL']),
    method: z.enum(['OAUTH', 'API_TOKEN']),
    /** True when an earlier connection of the same company and user was renewed. */
    renewed: z.boolean(),
  }),
  ({ connectionId }) => ({ target: aboutConnection(connectionId), outcome: 'succeeded' }),
);

export const ConnectionStatusChanged = defineEvent(
  'connections.connection_status_changed.v1',
  z.object({
    connectionId: ConnectionId,
    status: ConnectionStatus,
    reason: EventReason.optional(),
  }),
  ({ connectionId, status, reason }) => ({
    target: aboutConnection(connectionId),
    outcome: status === 'NEEDS_REAUTH' ? 'failed' : 'succeeded',
    reason,
  }),
);

/**
 * The API budget of a company needs a look: a part of the day is spent, or nothing is asked of
 * Pipedrive for a while.
 */
export const BudgetChanged = defineEvent(
  'connections.budget_changed.v1',
  z.object({
    connectionId: ConnectionId,
    companyId: z.string().max(32),
    change: z.enum(['threshold_crossed', 'paused', 'resumed']),
    /** Of the day's tokens, which part was passed. */
    percent: z.union([z.literal(75), z.literal(100)]).optional(),
    spentTokens: z.int().optional(),
    limitTokens: z.int().optional(),
    /** Of a pause: why, and until when at least. */
    reason: EventReason.optional(),
    until: z.iso.datetime().optional(),
  }),
  ({ connectionId, change, reason }) => ({
    target: aboutConnection(connectionId),
    outcome: change === 'paused' ? 'failed' : 'succeeded',
    reason,
  }),
);

/** The connection and everything this service kept for it are gone; its id is never used again. */
export const ConnectionDeleted = defineEvent(
  'connections.connection_deleted.v1',
  z.object({ connectionId: ConnectionId, companyId: z.string().max(32) }),
  ({ connectionId }) => ({ target: aboutConnection(connectionId), outcome: 'succeeded' }),
);

export const FieldsChanged = defineEvent(
  'connections.fields_changed.v1',
  z.object({
    connectionId: ConnectionId,
    object: PipedriveObject,
    /** Grows with every difference found; a consumer ignores a lower one. */
    revision: z.int(),
    added: z.array(z.string()).max(500),
    changed: z.array(z.string()).max(500),
    removed: z.array(z.string()).max(500),
    /** The first of the differences one by one: names, labels or types before and after. */
    differences: z
      .array(
        z.object({
          kind: z.enum([
            ...['added', 'renamed', 'retyped', 'removed'],
            ...['option_added', 'option_renamed', 'option_removed'],
          ] as const),
          code: z.string(),
          before: z.string().nullable(),
          after: z.string().nullable(),
        }),
      )
      .max(200)
      .optional(),
  }),
  ({ connectionId }) => ({ target: aboutConnection(connectionId), outcome: 'succeeded' }),
);

/** A record in Pipedrive was created, changed, deleted or merged away. Values are asked for, never sent. */
export const RecordChanged = defineEvent(
  'connections.record_changed.v1',
  z.object({
    connectionId: ConnectionId,
    receiptId: WebhookReceiptId,
    object: PipedriveObject,
    pipedriveId: z.string().max(64),
    action: z.enum(['created', 'updated', 'deleted', 'merged']),
    /** Field codes whose value differs; empty when Pipedrive did not say. */
    changedKeys: z.array(z.string()).max(500),
    /** Time of the change at Pipedrive in milliseconds; of two events about one record the higher is newer. */
    revision: z.int(),
    /** Survivor of a merge. */
    mergedIntoPipedriveId: z.string().max(64).optional(),
    /** `manifold` when this is the echo of a write of ours. */
    origin: z.enum(['pipedrive', 'manifold']),
  }),
  ({ connectionId, object, pipedriveId }) => ({
    target: { type: 'PipedriveRecord', id: `${object}:${pipedriveId}` },
    outcome: 'succeeded',
    record: { connectionId, object, pipedriveId },
  }),
);

export const StepOutcome = z.enum([
  'applied',
  'no_change',
  'superseded',
  'skipped',
  'parked',
  'cancelled',
]);
export type StepOutcome = z.infer<typeof StepOutcome>;

/** The thing in another service that asked for a write. */
export const WriteCause = z.object({
  service: z.string().max(32),
  /** Graph type, e.g. `ReferralUser`. */
  type: z.string().max(64),
  id: z.string().max(64),
});
export type WriteCause = z.infer<typeof WriteCause>;

/** One step of a write request reached its end (or was parked for a person to look at). */
export const StepSettled = defineEvent(
  'connections.step_settled.v1',
  z.object({
    connectionId: ConnectionId,
    writeRequestId: WriteRequestId,
    stepId: WriteStepId,
    stepName: z.string().max(32),
    cause: WriteCause,
    object: PipedriveObject,
    operation: z.enum(['created', 'updated', 'merged', 'linked', 'deleted', 'none']),
    outcome: StepOutcome,
    reason: EventReason.optional(),
    pipedriveId: z.string().max(64).optional(),
    /** Address of the record in Pipedrive's web application. */
    pipedriveUrl: z.url().optional(),
    costTokens: z.int(),
    changedKeys: z.array(z.string()).max(500),
  }),
  (settled) => ({
    target: { type: settled.cause.type, id: settled.cause.id },
    outcome: auditOutcomes[settled.outcome],
    reason: settled.reason,
    costTokens: settled.costTokens,
    record:
      settled.pipedriveId === undefined
        ? undefined
        : {
            connectionId: settled.connectionId,
            object: settled.object,
            pipedriveId: settled.pipedriveId,
          },
  }),
);

const auditOutcomes = {
  applied: 'succeeded',
  no_change: 'succeeded',
  superseded: 'skipped',
  skipped: 'skipped',
  cancelled: 'skipped',
  parked: 'parked',
} as const;

/** Somebody sent a parked step again. How it ends this time is told by `StepSettled`. */
export const StepRedriven = defineEvent(
  'connections.step_redriven.v1',
  z.object({
    connectionId: ConnectionId,
    writeRequestId: WriteRequestId,
    stepId: WriteStepId,
    stepName: z.string().max(32),
    cause: WriteCause,
    /** What it was parked for. */
    reason: EventReason.optional(),
  }),
  ({ cause }) => ({ target: { type: cause.type, id: cause.id }, outcome: 'succeeded' }),
);

/** A write of ours replaced values that somebody had set since we read the record. */
export const RecordOverwritten = defineEvent(
  'connections.record_overwritten.v1',
  z.object({
    connectionId: ConnectionId,
    overwriteId: OverwriteId,
    writeRequestId: WriteRequestId,
    stepId: WriteStepId,
    object: PipedriveObject,
    pipedriveId: z.string().max(64),
    /** Codes of the fields whose value was lost. */
    fields: z.array(z.string()).max(500),
  }),
  ({ overwriteId, connectionId, object, pipedriveId }) => ({
    target: { type: 'Overwrite', id: overwriteId },
    outcome: 'succeeded',
    record: { connectionId, object, pipedriveId },
  }),
);

/** Every step of a write request has settled. */
export const WriteRequestSettled = defineEvent(
  'connections.write_request_settled.v1',
  z.object({
    connectionId: ConnectionId,
    writeRequestId: WriteRequestId,
    cause: WriteCause,
    outcome: z.enum(['succeeded', 'skipped', 'parked', 'cancelled']),
    reason: EventReason.optional(),
    costTokens: z.int(),
  }),
  ({ cause, outcome, reason, costTokens }) => ({
    target: { type: cause.type, id: cause.id },
    outcome: outcome === 'cancelled' ? 'skipped' : outcome,
    reason,
    costTokens,
  }),
);
