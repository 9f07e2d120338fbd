import type { PipedriveObject } from '@manifold/contracts';
import { z } from 'zod';
import type { Call } from './calling/call.ts';
import type { Outcome } from './calling/outcomes.ts';

/** A subscription as Pipedrive keeps it. Pipedrive removes it after three days without a successful delivery. */
export interface WebhookSubscription {
  id: string;
  url: string;
  action: string;
  object: string;
  name: string | null;
  /** False while it is banned, and once it is removed. */
  active: boolean;
  /** When Pipedrive removed it, and why in its own words; null while it is there. */
  removeTime: string | null;
  removeReason: string | null;
  lastDeliveryTime: string | null;
  lastHttpStatus: number | null;
}

export interface NewWebhook {
  /** Public https address that answers and does not redirect. */
  url: string;
  name: string;
  action: 'create' | 'change' | 'delete' | '*';
  object: PipedriveObject | '*';
  /** The user whose visibility filters the events; absent: the caller. */
  userId?: string;
  /** Sent with every delivery as basic authentication; webhooks are not signed. */
  user: string;
  password: string;
}

export interface Webhooks {
  listWebhooks: () => Promise<Outcome<WebhookSubscription[]>>;
  /** At most 40 per user; the 41st is `refused` with status 422. */
  createWebhook: (webhook: NewWebhook) => Promise<Outcome<WebhookSubscription>>;
  deleteWebhook: (id: string) => Promise<Outcome<{ id: string }>>;
}

const raw = z
  .object({
    id: z.union([z.number(), z.string()]).transform(String),
    subscription_url: z.string(),
    event_action: z.string(),
    event_object: z.string(),
    name: z.string().nullish(),
    is_active: z.union([z.boolean(), z.number()]).nullish(),
    remove_time: z.string().nullish(),
    remove_reason: z.string().nullish(),
    last_delivery_time: z.string().nullish(),
    last_http_status: z.coerce.number().nullish().catch(null),
  })
  .transform(
    (webhook): WebhookSubscription => ({
      id: webhook.id,
      url: webhook.subscription_url,
      action: webhook.event_action,
      object: webhook.event_object,
      name: webhook.name ?? null,
      active: webhook.is_active !== false && webhook.is_active !== 0 && webhook.remove_time == null,
      removeTime: webhook.remove_time ?? null,
      removeReason: webhook.remove_reason ?? null,
      lastDeliveryTime: webhook.last_delivery_time ?? null,
      lastHttpStatus: webhook.last_http_status ?? null,
    }),
  );

export const createWebhooks = (call: Call): Webhooks => ({
  listWebhooks: () => call('getWebhooks', { read: (data) => z.array(raw).parse(data ?? []) }),
  createWebhook: ({ url, name, action, object, userId, user, password }) =>
    call('addWebhook', {
      body: {
        subscription_url: url,
        name,
        event_action: action,
        event_object: object,
        version: '2.0',
        http_auth_user: user,
        http_auth_password: password,
        ...(userId === undefined ? {} : { user_id: Number(userId) }),
      },
      read: (data) => raw.parse(data),
    }),
  deleteWebhook: (id) => call('deleteWebhook', { path: { id }, read: () => ({ id }) }),
});
