import { z } from 'zod';
import { defineEvent, recordOf } from './event.ts';
import { ConnectionId, WebhookReceiptId } from './ids.ts';
import { eventEnum } from './open-enum.ts';
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
    kind: eventEnum(z.enum(['ORGANIZATION', 'PERSONAL'])),
    method: eventEnum(z.enum(['OAUTH', 'API_TOKEN'])),
    /** True when an earlier connection of the same company and user was renewed. */
    renewed: z.boolean(),
  }),
  ({ connectionId }) => ({ target: aboutConnection(connectionId), outcome: 'succeeded' }),
);

export const ConnectionStatusChanged = defineEvent(
  'connections.connection_status_changed.v1',
  z.object({
    connectionId: ConnectionId,
    status: eventEnum(ConnectionStatus),
    reason: EventReason.optional(),
  }),
  ({ connectionId, status, reason }) => ({
    target: aboutConnection(connectionId),
    outcome: status === 'unknown' ? 'unknown' : status === 'NEEDS_REAUTH' ? 'failed' : 'succeeded',
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
    /**
     * `paused` and `resumed` are of all that is asked with a credential, or for the whole company;
     * `lane_stopped` and `lane_resumed` of one lane, because what is left of the day is not for it.
     */
    change: eventEnum(
      z.enum([
        'threshold_crossed',
        'paused',
        'resumed',
        'lane_stopped',
        'lane_resumed',
        'plan_changed',
      ]),
    ),
    /** Of the day's tokens, which part was passed: 50, 80, 90 or 100. */
    percent: z.int().min(0).max(100).optional(),
    spentTokens: z.int().optional(),
    limitTokens: z.int().optional(),
    /** Left of the day for all lanes together, what others spent included where Pipedrive tells. */
    remainingTokens: z.int().optional(),
    /** Which one stopped or goes on. */
    lane: eventEnum(z.enum(['interactive', 'event', 'bulk'])).optional(),
    /** What somebody said the company's plan is, and how many seats and more tokens per day it has; absent when they took it back. */
    plan: eventEnum(z.enum(['lite', 'growth', 'premium', 'ultimate'])).optional(),
    seats: z.int().optional(),
    topUpTokens: z.int().optional(),
    /** Of a pause or a stop: why, and until when at least. */
    reason: EventReason.optional(),
    until: z.iso.datetime().optional(),
  }),
  ({ connectionId, change, reason }) => ({
    target: aboutConnection(connectionId),
    outcome:
      change === 'unknown'
        ? 'unknown'
        : change === 'paused' || change === 'lane_stopped'
          ? 'failed'
          : 'succeeded',
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
    object: eventEnum(PipedriveObject),
    /** Grows with every difference found; a consumer ignores a lower one. */
    revision: z.int(),
    added: z.array(z.string()).max(500),
    changed: z.array(z.string()).max(500),
    removed: z.array(z.string()).max(500),
    /** The first of the differences one by one: names, labels or types before and after. */
    differences: z
      .array(
        z.object({
          kind: eventEnum(
            z.enum([
              ...['added', 'renamed', 'retyped', 'removed'],
              ...['option_added', 'option_renamed', 'option_removed'],
            ] as const),
          ),
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
    object: eventEnum(PipedriveObject),
    pipedriveId: z.string().max(64),
    action: eventEnum(z.enum(['created', 'updated', 'deleted', 'merged'])),
    /** Field codes whose value differs; empty when Pipedrive did not say. */
    changedKeys: z.array(z.string()).max(500),
    /** Time of the change at Pipedrive in milliseconds; of two events about one record the higher is newer. */
    revision: z.int(),
    /** Survivor of a merge. */
    mergedIntoPipedriveId: z.string().max(64).optional(),
    /** `manifold` when this is the echo of a write of ours. */
    origin: eventEnum(z.enum(['pipedrive', 'manifold'])),
    /** Connections of the workspace to the same company this tells too; they get no event of their own. */
    otherConnectionIds: z.array(ConnectionId).max(100).optional(),
  }),
  ({ connectionId, object, pipedriveId }) => ({
    target: { type: 'PipedriveRecord', id: `${object}:${pipedriveId}` },
    outcome: 'succeeded',
    record: recordOf({ connectionId, object, pipedriveId }),
  }),
);
