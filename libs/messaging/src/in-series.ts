import type { ConsumerMessages, JsMsg } from '@nats-io/jetstream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Incoming, keepAlive, readIncoming, settle, type Settling } from './incoming.ts';
import type { MessagingTables } from './tables.ts';

const KEYS_AT_ONCE = 16;
const RETRY_MS = 1_000;

/** Settles messages until there are no more: those of one key in series, up to 16 keys at once. */
export async function settleInSeries<Tables extends MessagingTables>(
  options: Settling<Tables>,
  messages: ConsumerMessages,
): Promise<void> {
  const tails = new Map<string, Promise<void>>();
  const pending = new Set<JsMsg>();
  const left = new Set<string>();
  const stopHeartbeat = keepAlive(pending);
  try {
    for await (const message of messages) {
      const incoming = readIncoming(options.handlers, message);
      const { key } = incoming;
      pending.add(message);
      const tail = (tails.get(key) ?? Promise.resolve())
        .then(async () => {
          if (left.has(key) || !(await settleInTurn(options, incoming))) left.add(key);
        })
        .finally(() => {
          pending.delete(message);
          if (tails.get(key) === tail) tails.delete(key);
        });
      tails.set(key, tail);
      if (tails.size >= KEYS_AT_ONCE) await Promise.race(tails.values());
    }
    await Promise.all(tails.values());
  } finally {
    stopHeartbeat();
  }
}

/**
 * Settles a message however long Postgres is away, so that no later one of its key overtakes it.
 * False when the service stops first: the broker brings it, and those behind it, again.
 */
async function settleInTurn<Tables extends MessagingTables>(
  options: Settling<Tables>,
  incoming: Incoming<Tables>,
): Promise<boolean> {
  const { stopping } = options;
  while (!(await settle(options, incoming))) {
    await sleep(RETRY_MS, undefined, { signal: stopping }).catch(() => undefined);
    if (stopping.aborted) return false;
  }
  return true;
}
