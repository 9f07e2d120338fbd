import { z } from 'zod';
import { Actor } from './event.ts';
import { EventId, WorkspaceId } from './ids.ts';
import { EventReason } from './reasons.ts';
import { defineRequest } from './request.ts';
import type { ServiceName } from './services.ts';

/** In one request. */
export const MAX_DEAD_LETTERS = 100;

const someIds = z.array(EventId).min(1).max(MAX_DEAD_LETTERS);

/** Which dead letters of a workspace; all that is given must fit. */
export const DeadLetterFilter = z.object({
  messageIds: someIds.optional(),
  /** The event's name with its version, for example `connections.record_changed.v1`. */
  messageName: z.string().max(128).optional(),
  /** A reason code. */
  reason: z.string().max(64).optional(),
  /** Given up on before this time. */
  parkedBefore: z.iso.datetime().optional(),
});
export type DeadLetterFilter = z.infer<typeof DeadLetterFilter>;

/** A message a service gave up on, as it is told of: never its payload. */
export const DeadLetter = z.object({
  messageId: EventId,
  messageName: z.string().max(128),
  reason: EventReason,
  attempts: z.int(),
  parkedAt: z.iso.datetime(),
});
export type DeadLetter = z.infer<typeof DeadLetter>;

const asker = {
  workspaceId: WorkspaceId,
  /** On whose behalf. */
  actor: Actor,
  correlationId: z.string().min(1).max(64),
};
const taken = z.object({
  messageIds: z.array(EventId).max(MAX_DEAD_LETTERS),
  /** There are others. */
  more: z.boolean(),
});

/** Puts the oldest dead letters of a workspace that fit, or the named one, back in line; a repeat finds none. */
export const replayDeadLettersOf = (service: ServiceName) =>
  defineRequest(
    `request.${service}.replay_dead_letters.v1`,
    z.object({
      ...asker,
      messageId: EventId.optional(),
      filter: DeadLetterFilter.optional(),
      /** Absent: as many as one request takes. */
      limit: z.int().min(1).max(MAX_DEAD_LETTERS).optional(),
    }),
    taken,
  );

/** Throws dead letters away: these messages are never processed. A repeat finds none. */
export const discardDeadLettersOf = (service: ServiceName) =>
  defineRequest(
    `request.${service}.discard_dead_letters.v1`,
    z.object({ ...asker, messageIds: someIds }),
    taken,
  );

/** The oldest dead letters that fit, and how many do. */
export const findDeadLettersOf = (service: ServiceName) =>
  defineRequest(
    `request.${service}.find_dead_letters.v1`,
    z.object({
      workspaceId: WorkspaceId,
      filter: DeadLetterFilter,
      limit: z.int().min(0).max(MAX_DEAD_LETTERS),
    }),
    z.object({ letters: z.array(DeadLetter).max(MAX_DEAD_LETTERS), total: z.int() }),
  );

/** Which of these messages are dead letters still. */
export const listDeadLettersOf = (service: ServiceName) =>
  defineRequest(
    `request.${service}.list_dead_letters.v1`,
    z.object({ workspaceId: WorkspaceId, messageIds: someIds }),
    z.object({ messageIds: z.array(EventId).max(MAX_DEAD_LETTERS) }),
  );
