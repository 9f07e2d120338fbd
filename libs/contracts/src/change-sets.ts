import { z } from 'zod';
import { WriteCause } from './settled-writes.ts';
import { Actor, defineEvent } from './event.ts';
import { ChangeSetId, ConnectionId, WorkspaceId } from './ids.ts';
import { eventEnum } from './open-enum.ts';
import { EventReason } from './reasons.ts';
import { defineRequest } from './request.ts';

/** Beyond any of these a change set waits for a person, whatever the workspace's policy. */
export const GuardRails = z.object({
  /** Records that are made, changed, joined or deleted. */
  maxRecords: z.int().min(0).max(100_000).optional(),
  /** Of all rows of the set, how many may lead to a change. */
  maxPercent: z.number().min(0).max(100).optional(),
  allowDeletes: z.boolean().optional(),
  allowMerges: z.boolean().optional(),
});
export type GuardRails = z.infer<typeof GuardRails>;

const ChangeSetState = z.enum([
  ...['OPEN', 'PLANNING', 'AWAITING_APPROVAL', 'APPLYING', 'PAUSED'],
  ...['DONE', 'CANCELLED', 'FAILED'],
] as const);

/** Begins a change set; write commands that name it are then stored with it and not sent. */
export const OpenChangeSet = defineRequest(
  'request.connections.open_change_set.v1',
  z.object({
    workspaceId: WorkspaceId,
    connectionId: ConnectionId,
    /** Whose job it is; shown to people. */
    title: z.string().min(1).max(200),
    cause: WriteCause,
    actor: Actor,
    correlationId: z.string().min(1).max(64),
    /** Next to those of the workspace's policy: the stricter counts. */
    guardRails: GuardRails.optional(),
    idempotencyKey: z.string().min(1).max(128),
  }),
  z.object({ changeSetId: ChangeSetId, repeated: z.boolean() }),
);

/** Nothing more is added: the set is planned now. Safe to repeat. */
export const CloseChangeSet = defineRequest(
  'request.connections.close_change_set.v1',
  z.object({ workspaceId: WorkspaceId, changeSetId: ChangeSetId }),
  z.object({ changeSetId: ChangeSetId, state: ChangeSetState }),
);

const count = z.int().min(0);
const aboutSet = (id: string) => ({ type: 'ChangeSet', id });

/** Every change of a set is known: how many there are of each kind, and what they will cost. */
export const ChangeSetPlanned = defineEvent(
  'connections.change_set_planned.v1',
  z.object({
    changeSetId: ChangeSetId,
    connectionId: ConnectionId,
    cause: WriteCause,
    /** What an approval is of. */
    hash: z.string().regex(/^[0-9a-f]{64}$/),
    creates: count,
    updates: count,
    deletes: count,
    merges: count,
    /** Rows that lead to no change. */
    unchanged: count,
    priceTokens: count,
    /** Why it waits for a person; absent when it goes on by itself. */
    waitsFor: EventReason.optional(),
  }),
  ({ changeSetId }) => ({ target: aboutSet(changeSetId), outcome: 'succeeded' }),
);

/** A person, or the workspace's policy, said yes to a plan or to its first changes. */
export const ChangeSetApproved = defineEvent(
  'connections.change_set_approved.v1',
  z.object({
    changeSetId: ChangeSetId,
    connectionId: ConnectionId,
    cause: WriteCause,
    hash: z.string().regex(/^[0-9a-f]{64}$/),
    /** Only so many changes first; absent: all. */
    first: z.int().positive().optional(),
    by: eventEnum(z.enum(['person', 'policy'])),
  }),
  ({ changeSetId }) => ({ target: aboutSet(changeSetId), outcome: 'succeeded' }),
);

/** A change set came to its end. */
export const ChangeSetFinished = defineEvent(
  'connections.change_set_finished.v1',
  z.object({
    changeSetId: ChangeSetId,
    connectionId: ConnectionId,
    cause: WriteCause,
    outcome: eventEnum(z.enum(['done', 'cancelled', 'failed'])),
    reason: EventReason.optional(),
    applied: count,
    unchanged: count,
    skipped: count,
    parked: count,
    cancelled: count,
    costTokens: count,
  }),
  ({ changeSetId, outcome, reason, costTokens }) => ({
    target: aboutSet(changeSetId),
    outcome: setOutcomes[outcome],
    reason,
    costTokens,
  }),
);

const setOutcomes = {
  done: 'succeeded',
  failed: 'failed',
  cancelled: 'skipped',
  unknown: 'unknown',
} as const;

/**
 * A change set moved on: another state, or more of its changes came to rest. While work goes on it is
 * told once a second at most; `change_set_planned` and `change_set_finished` tell the rest.
 */
export const ChangeSetProgressed = defineEvent(
  'connections.change_set_progressed.v1',
  z.object({
    changeSetId: ChangeSetId,
    connectionId: ConnectionId,
    cause: WriteCause,
    state: eventEnum(ChangeSetState),
    /** Changes in all. */
    total: count,
    /** Of an approved set: changes that have not come to rest; absent when nobody counted. */
    left: count.optional(),
    /** Why work on it rests for now. */
    waitsFor: EventReason.optional(),
  }),
  ({ changeSetId, waitsFor }) => ({
    target: aboutSet(changeSetId),
    outcome: 'succeeded',
    reason: waitsFor,
  }),
);
