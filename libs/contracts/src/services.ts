import { z } from 'zod';
import { defineEvent } from './event.ts';
import { ReasonCode } from './reasons.ts';

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
      reason: ReasonCode,
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
