import type { Dispatcher } from 'undici';
import { Agent, request } from 'undici';
import { textOf } from '../json.ts';
import type { World } from '../world.ts';
import { type Delivery, finishDelivery, listDue, nextDue, postpone } from './deliveries.ts';
import { findSubscription, type Subscription, saveSubscriptionData } from './subscriptions.ts';

const TIMEOUT_MS = 10_000;
const MAX_IN_FLIGHT = 16;
const MAX_TIMER_MS = 60_000;

export interface CourierOptions {
  /** Waiting times before the second, third and fourth attempt. */
  retryDelaysMs: number[];
  log: (line: string) => void;
}

/** Delivers what the outbox holds, oldest first, until stopped. What is left waits for the next start. */
export function startCourier(world: World, options: CourierOptions): () => Promise<void> {
  const agent = new Agent({ connect: { timeout: TIMEOUT_MS } });
  const abort = new AbortController();
  const inFlight = new Map<number, Promise<void>>();
  let timer: NodeJS.Timeout | undefined;

  function wake(): void {
    if (abort.signal.aborted) return;
    clearTimeout(timer);
    const now = world.now().getTime();
    const free = MAX_IN_FLIGHT - inFlight.size;
    const due = listDue(world.db, now, MAX_IN_FLIGHT * 2).filter(({ id }) => !inFlight.has(id));
    for (const delivery of due.slice(0, free)) start(delivery);
    if (inFlight.size >= MAX_IN_FLIGHT) return;
    const next = nextDue(world.db, now);
    if (next !== undefined) timer = setTimeout(wake, Math.min(next - now, MAX_TIMER_MS));
  }

  function start(delivery: Delivery): void {
    const work = attempt(world, delivery, { ...options, agent, signal: abort.signal })
      .catch((error: unknown) => options.log(`webhook delivery ${delivery.id}: ${String(error)}`))
      .finally(() => {
        inFlight.delete(delivery.id);
        wake();
      });
    inFlight.set(delivery.id, work);
  }

  world.outbox.onQueued(() => setImmediate(wake));
  wake();
  return async () => {
    abort.abort();
    clearTimeout(timer);
    await Promise.all(inFlight.values());
    await agent.destroy();
  };
}

interface Attempt extends CourierOptions {
  agent: Dispatcher;
  signal: AbortSignal;
}

async function attempt(world: World, delivery: Delivery, options: Attempt): Promise<void> {
  const hook = findSubscription(world.db, delivery.webhook_id);
  if (hook === undefined) return finishDelivery(world.db, delivery, 'dropped', null);
  const target = textOf(hook.data.subscription_url);
  if (world.faults.takeDroppedHook(target, delivery.event))
    return finishDelivery(world.db, delivery, 'dropped', null);

  const status = await post(hook, withAttempt(delivery), options);
  // an interrupted attempt is made again after the next start
  if (options.signal.aborted && status === null) return;
  world.db.transaction(() => {
    const delay = options.retryDelaysMs[delivery.attempt - 1];
    const delivered = status !== null && status >= 200 && status < 300;
    if (delivered) finishDelivery(world.db, delivery, 'delivered', status);
    else if (delay === undefined) finishDelivery(world.db, delivery, 'dropped', status);
    else postpone(world.db, delivery, { dueMs: world.now().getTime() + delay, status });
    noteHealth(world, hook.id, { delivered, status });
  });
}

/** The status of the answer, or null when there was none within ten seconds. */
async function post(hook: Subscription, body: string, options: Attempt): Promise<number | null> {
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
      dispatcher: options.agent,
      signal: AbortSignal.any([options.signal, AbortSignal.timeout(TIMEOUT_MS)]),
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

function noteHealth(
  world: World,
  id: number,
  { delivered, status }: { delivered: boolean; status: number | null },
): void {
  const hook = findSubscription(world.db, id);
  if (hook === undefined) return;
  const time = delivered ? { last_delivery_time: world.now().toISOString() } : {};
  saveSubscriptionData(world.db, id, { ...hook.data, ...time, last_http_status: status });
}
