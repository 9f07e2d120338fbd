import type { ConsumerMessages, JsMsg } from '@nats-io/jetstream';
import { keepAlive, readIncoming, settle, type Settling } from './incoming.ts';
import type { MessagingTables } from './tables.ts';

const KEYS_AT_ONCE = 16;

/** Settles messages until there are no more: those of one key in series, up to 16 keys at once. */
export async function settleInSeries<Tables extends MessagingTables>(
  options: Settling<Tables>,
  messages: ConsumerMessages,
): Promise<void> {
  const tails = new Map<string, Promise<void>>();
  const pending = new Set<JsMsg>();
  const stopHeartbeat = keepAlive(pending);
  try {
    for await (const message of messages) {
      const incoming = readIncoming(options.handlers, message);
      const { key } = incoming;
      pending.add(message);
      const tail = (tails.get(key) ?? Promise.resolve())
        .then(() => settle(options, incoming))
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
