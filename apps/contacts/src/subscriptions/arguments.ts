import { z } from 'zod';

const channels = { EMAIL: 'email', SMS: 'sms', VIBER: 'viber' } as const;
const states = { SUBSCRIBED: 'subscribed', UNSUBSCRIBED: 'unsubscribed' } as const;

/** A channel and a state as the graph writes them. */
export const Channel = z.enum(['EMAIL', 'SMS', 'VIBER']).transform((name) => channels[name]);
export const SubscriptionState = z
  .enum(['SUBSCRIBED', 'UNSUBSCRIBED'])
  .transform((name) => states[name]);
