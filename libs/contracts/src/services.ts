import { z } from 'zod';
import { defineEvent } from './event.ts';
import { EventId } from './ids.ts';
import { EventReason } from './reasons.ts';

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

/** A person decided that a parked message is never processed; it is gone. */
const messageDiscardedBy = <Service extends ServiceName>(service: Service) =>
  defineEvent(
    `${service}.message_discarded.v1`,
    z.object({ messageId: EventId, messageName: z.string().max(128) }),
    ({ messageId }) => ({
      target: { type: 'Message', id: messageId },
      outcome: 'skipped',
      reason: 'cancelled_by_user',
    }),
  );

export const MessageDiscarded = {
  workspaces: messageDiscardedBy('workspaces'),
  connections: messageDiscardedBy('connections'),
  'field-mapping': messageDiscardedBy('field-mapping'),
  contacts: messageDiscardedBy('contacts'),
  referrals: messageDiscardedBy('referrals'),
  audit: messageDiscardedBy('audit'),
};
