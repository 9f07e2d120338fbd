import { Agent } from 'undici';
import type { World } from '../world.ts';
import { attemptDelivery } from './attempt.ts';
import { type Delivery, listDue, nextDue } from './deliveries.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const MAX_IN_FLIGHT = 16;
const MAX_TIMER_MS = 60_000;

export interface CourierOptions {
  /** Waiting times before the second, third and fourth attempt. */
  retryDelaysMs: number[];
  log: (line: string) => void;
}

/** Delivers what the outbox holds, oldest first, until stopped. What is left waits for the next start. */
export function startCourier(world: World, options: CourierOptions): () => Promise<void> {
  const agent = new Agent({ connect: { timeout: CONNECT_TIMEOUT_MS } });
  const abort = new AbortController();
  const courier = { ...options, world, agent, signal: abort.signal, held: new Map() };
  const inFlight = new Map<number, Promise<void>>();
  let timer: NodeJS.Timeout | undefined;

  function wake(): void {
    if (abort.signal.aborted) return;
    clearTimeout(timer);
    const now = world.now().getTime();
    const free = MAX_IN_FLIGHT - inFlight.size;
    const due = listDue(world.db, now, MAX_IN_FLIGHT).filter(({ id }) => !inFlight.has(id));
    for (const delivery of due.slice(0, free)) start(delivery);
    if (inFlight.size >= MAX_IN_FLIGHT) return;
    const next = nextDue(world.db, now);
    if (next === undefined) return;
    timer = setTimeout(wake, Math.ceil(Math.min(world.clock.realMs(next - now), MAX_TIMER_MS)));
  }

  function start(delivery: Delivery): void {
    const work = attemptDelivery(delivery, courier)
      .catch((error: unknown) => options.log(`webhook delivery ${delivery.id}: ${String(error)}`))
      .finally(() => {
        inFlight.delete(delivery.id);
        wake();
      });
    inFlight.set(delivery.id, work);
  }

  world.clock.onJump(() => setImmediate(wake));
  world.outbox.onQueued(() => setImmediate(wake));
  wake();
  return async () => {
    abort.abort();
    clearTimeout(timer);
    await Promise.all(inFlight.values());
    await agent.destroy();
  };
}
