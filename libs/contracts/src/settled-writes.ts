import { z } from 'zod';
import { defineEvent, recordOf } from './event.ts';
import { ConnectionId, OverwriteId, WriteRequestId, WriteStepId } from './ids.ts';
import { eventEnum } from './open-enum.ts';
import { PipedriveObject } from './pipedrive-records.ts';
import { EventReason } from './reasons.ts';

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
    object: eventEnum(PipedriveObject),
    operation: eventEnum(z.enum(['created', 'updated', 'merged', 'linked', 'deleted', 'none'])),
    outcome: eventEnum(StepOutcome),
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
        : recordOf({
            connectionId: settled.connectionId,
            object: settled.object,
            pipedriveId: settled.pipedriveId,
          }),
  }),
);

const auditOutcomes = {
  applied: 'succeeded',
  no_change: 'succeeded',
  superseded: 'skipped',
  skipped: 'skipped',
  cancelled: 'skipped',
  parked: 'parked',
  unknown: 'unknown',
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
    object: eventEnum(PipedriveObject),
    pipedriveId: z.string().max(64),
    /** Codes of the fields whose value was lost. */
    fields: z.array(z.string()).max(500),
  }),
  ({ overwriteId, connectionId, object, pipedriveId }) => ({
    target: { type: 'Overwrite', id: overwriteId },
    outcome: 'succeeded',
    record: recordOf({ connectionId, object, pipedriveId }),
  }),
);

/** Every step of a write request has settled. */
export const WriteRequestSettled = defineEvent(
  'connections.write_request_settled.v1',
  z.object({
    connectionId: ConnectionId,
    writeRequestId: WriteRequestId,
    cause: WriteCause,
    outcome: eventEnum(z.enum(['succeeded', 'skipped', 'parked', 'cancelled'])),
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
