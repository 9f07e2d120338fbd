import { type Dispatcher, request } from 'undici';
import { textOf } from '../json.ts';
import type { World } from '../world.ts';
import { type Delivery, finishDelivery, postpone, putOff } from './deliveries.ts';
import { findHealth, healthAfter, isBanned, isGivenUp, saveHealth } from './health.ts';
import {
  findSubscription,
  isRemoved,
  retireSubscription,
  type Subscription,
  saveSubscriptionData,
} from './subscriptions.ts';

const TIMEOUT_MS = 10_000;
const HELD_AT_MOST_MS = 5_000;

export interface Courier {
  world: World;
  /** Waiting times before the second, third and fourth attempt. */
  retryDelaysMs: number[];
  agent: Dispatcher;
  signal: AbortSignal;
  /** Deliveries a fault holds back until the next to the same webhook, by id. */
  held: Map<number, number>;
}

/** Makes one attempt at a delivery, faults and the webhook's health considered. */
export async function attemptDelivery(delivery: Delivery, courier: Courier): Promise<void> {
  const { world, held, signal } = courier;
  const { db } = world;
  const hook = findSubscription(db, delivery.webhook_id);
  const lost =
    hook === undefined ||
    isRemoved(hook) ||
    isBanned(findHealth(db, hook.id), world.now().getTime());
  if (lost) return finishDelivery(db, delivery, 'dropped', null);

  const struck = takeFaults(delivery, hook, courier);
  if (struck('drop-hook') !== undefined) return finishDelivery(db, delivery, 'dropped', null);
  const holding = struck('reorder-hook');
  if (holding !== undefined) {
    held.set(delivery.id, hook.id);
    return putOff(db, delivery.id, world.now().getTime() + (holding.ms || HELD_AT_MOST_MS));
  }
  held.delete(delivery.id);
  const copies = struck('double-hook') === undefined ? 1 : 2;
  const body = withAttempt(delivery);
  const statuses = await Promise.all(
    Array.from({ length: copies }, () => post(hook, body, courier)),
  );
  const [status = null] = statuses;
  // an interrupted attempt is made again after the next start
  if (signal.aborted && status === null) return;
  settle(delivery, hook, { status, courier });
}

function takeFaults(delivery: Delivery, hook: Subscription, { world, held }: Courier) {
  const first = delivery.attempt === 1 && !held.has(delivery.id);
  const url = textOf(hook.data.subscription_url);
  const faults = first ? world.faults.takeForHook(url, delivery.event) : [];
  return (kind: string) => faults.find((fault) => fault.kind === kind);
}

function settle(
  delivery: Delivery,
  hook: Subscription,
  { status, courier }: { status: number | null; courier: Courier },
): void {
  const { world, held, retryDelaysMs } = courier;
  const { db } = world;
  const nowMs = world.now().getTime();
  const delivered = status !== null && status >= 200 && status < 300;
  db.transaction(() => {
    const delay = retryDelaysMs[delivery.attempt - 1];
    if (delivered) finishDelivery(db, delivery, 'delivered', status);
    else if (delay === undefined) finishDelivery(db, delivery, 'dropped', status);
    else postpone(db, delivery, { dueMs: nowMs + delay, status });
    for (const [id, webhookId] of held)
      if (webhookId === hook.id && id < delivery.id) putOff(db, id, nowMs);
    noteHealth(world, hook.id, { attempt: delivery.attempt, delivered, status });
  });
}

function noteHealth(
  world: World,
  id: number,
  { attempt, delivered, status }: { attempt: number; delivered: boolean; status: number | null },
): void {
  const { db } = world;
  const hook = findSubscription(db, id);
  if (hook === undefined) return;
  const at = world.now();
  const time = delivered ? { last_delivery_time: at.toISOString() } : {};
  saveSubscriptionData(db, id, { ...hook.data, ...time, last_http_status: status });
  const before = findHealth(db, id);
  const after = healthAfter(before, { attempt, delivered, nowMs: at.getTime() });
  saveHealth(db, id, after);
  if (isGivenUp(after, at.getTime())) retireSubscription(db, id, at);
}

/** The status of the answer, or null when there was none within ten seconds. */
async function post(hook: Subscription, body: string, courier: Courier): Promise<number | null> {
  const pair = `${textOf(hook.data.http_auth_user)}:${textOf(hook.data.http_auth_password)}`;
  const authorization =
    pair !== ':' ? { authorization: `Basic ${Buffer.from(pair).toString('base64')}` } : {};
  try {
    const answer = await request(textOf(hook.data.subscription_url), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'Pipedrive Webhooks',
        ...authorization,
      },
      body,
      dispatcher: courier.agent,
      signal: AbortSignal.any([courier.signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    await answer.body.dump();
    return answer.statusCode;
  } catch {
    return null;
  }
}

function withAttempt(delivery: Delivery): string {
  const payload = JSON.parse(delivery.payload);
  return JSON.stringify({ ...payload, meta: { ...payload.meta, attempt: delivery.attempt } });
}
