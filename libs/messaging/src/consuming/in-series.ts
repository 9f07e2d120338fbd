import type { JsMsg } from '@nats-io/jetstream';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Incoming,
  keepAlive,
  type Messages,
  readIncoming,
  settle,
  type Settling,
} from './incoming.ts';
import { createSlots } from './slots.ts';
import type { MessagingTables } from '../tables.ts';

const KEYS_AT_ONCE = 16;
const KEYS_OF_A_WORKSPACE = KEYS_AT_ONCE / 2;
/** Messages in hand or waiting for their turn; fewer than the broker brings unacknowledged. */
const HELD = 800;
const RETRY_MS = 1_000;

/**
 * Settles messages until there are no more: those of one key in series, up to 16 keys at once, and
 * no more than half of them of one workspace, so that its trouble does not hold up the others.
 */
export async function settleInSeries<Tables extends MessagingTables>(
  options: Settling<Tables>,
  messages: Messages,
): Promise<void> {
  const tails = new Map<string, Promise<void>>();
  const pending = new Set<JsMsg>();
  const left = new Set<string>();
  const slots = createSlots({ total: KEYS_AT_ONCE, each: KEYS_OF_A_WORKSPACE });
  const stopHeartbeat = keepAlive(pending);
  try {
    for await (const message of messages) {
      const incoming = readIncoming(options.handlers, message);
      const { key, known } = incoming;
      const workspace = known?.event.workspaceId ?? '';
      pending.add(message);
      const tail = (tails.get(key) ?? Promise.resolve())
        .then(async () => {
          if (left.has(key)) return;
          const settled = await slots.run(
            workspace,
            // at a stop, what is only held here goes back to the broker
            async () => !options.stopping.aborted && (await settleInTurn(options, incoming)),
          );
          if (!settled) left.add(key);
        })
        .finally(() => {
          pending.delete(message);
          if (tails.get(key) === tail) tails.delete(key);
        });
      tails.set(key, tail);
      while (pending.size >= HELD) await Promise.race(tails.values());
    }
  } finally {
    // also when the stream breaks off: who follows it anew must not meet what is still in hand
    await Promise.all(tails.values());
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
