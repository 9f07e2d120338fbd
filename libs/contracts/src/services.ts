import { z } from 'zod';
import { Actor, defineEvent } from './event.ts';
import { EventId, WorkspaceId } from './ids.ts';
import { EventReason } from './reasons.ts';
import { defineRequest } from './request.ts';

/** The services that own a stream. The gateway owns none. */
export const services = [
  'workspaces',
  'connections',
  'field-mapping',
  'contacts',
  'referrals',
  'audit',
] as const;
export type ServiceName = (typeof services)[number];

/** A message a service could not process is kept for a person to look at, with its cause. */
const messageParkedBy = <Service extends ServiceName>(service: Service) =>
  defineEvent(
    `${service}.message_parked.v1`,
    z.object({
      /** Id of the event or command that could not be processed. */
      messageId: z.string().max(64),
      messageName: z.string().max(128),
      reason: EventReason,
      attempts: z.int(),
    }),
    ({ messageId, reason }) => ({
      target: { type: 'Message', id: messageId },
      outcome: 'parked',
      reason,
    }),
  );

export const MessageParked = {
  workspaces: messageParkedBy('workspaces'),
  connections: messageParkedBy('connections'),
  'field-mapping': messageParkedBy('field-mapping'),
  contacts: messageParkedBy('contacts'),
  referrals: messageParkedBy('referrals'),
  audit: messageParkedBy('audit'),
};

/** A person had a parked message processed again; parked again, it is announced again. */
const messageReplayedBy = <Service extends ServiceName>(service: Service) =>
  defineEvent(
    `${service}.message_replayed.v1`,
    z.object({ messageId: EventId, messageName: z.string().max(128) }),
    ({ messageId }) => ({ target: { type: 'Message', id: messageId }, outcome: 'succeeded' }),
  );

export const MessageReplayed = {
  workspaces: messageReplayedBy('workspaces'),
  connections: messageReplayedBy('connections'),
  'field-mapping': messageReplayedBy('field-mapping'),
  contacts: messageReplayedBy('contacts'),
  referrals: messageReplayedBy('referrals'),
  audit: messageReplayedBy('audit'),
};

const MAX_DEAD_LETTERS = 100;

/** Puts the oldest dead letters of a workspace, or the named one, back in line; a repeat finds none. */
export const replayDeadLettersOf = (service: ServiceName) =>
  defineRequest(
    `request.${service}.replay_dead_letters.v1`,
    z.object({
      workspaceId: WorkspaceId,
      messageId: EventId.optional(),
      /** On whose behalf. */
      actor: Actor,
      correlationId: z.string().min(1).max(64),
    }),
    z.object({
      messageIds: z.array(EventId).max(MAX_DEAD_LETTERS),
      /** There are others. */
      more: z.boolean(),
    }),
  );

/** Which of these messages are dead letters still. */
export const listDeadLettersOf = (service: ServiceName) =>
  defineRequest(
    `request.${service}.list_dead_letters.v1`,
    z.object({
      workspaceId: WorkspaceId,
      messageIds: z.array(EventId).min(1).max(MAX_DEAD_LETTERS),
    }),
    z.object({ messageIds: z.array(EventId).max(MAX_DEAD_LETTERS) }),
  );
