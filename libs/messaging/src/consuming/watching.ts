import type { ConsumerMessages, JsMsg } from '@nats-io/jetstream';

const LOOK_MS = 5_000;
const STUCK_MS = 60_000;

interface Watch {
  /** Names the connection the messages come through. */
  session: () => string | undefined;
  /** How many messages the broker has and has not brought; `undefined`: the consumer is gone. */
  countUndelivered: () => Promise<number | undefined>;
  /** Called before a consumer is closed that brings nothing although there is something. */
  onStuck: () => void;
  /** How often to look after a consumer that brings nothing. */
  lookMs?: number;
  /** How long it may bring nothing although there is something. */
  stuckMs?: number;
}

/**
 * Hands on messages until the consumer has to be opened anew: when it is gone or stuck, and when the
 * connection is another than it was, because what got lost with the old one would be overtaken.
 */
export async function* watched(
  messages: ConsumerMessages,
  { session, countUndelivered, onStuck, lookMs = LOOK_MS, stuckMs = STUCK_MS }: Watch,
): AsyncGenerator<JsMsg> {
  const opened = session();
  const state = { received: 0, waiting: true, seen: 0, quietLooks: 0 };
  const look = async () => {
    const quiet = state.waiting && state.received === state.seen;
    state.seen = state.received;
    state.quietLooks = quiet ? state.quietLooks + 1 : 0;
    if (!quiet) return;
    const undelivered = await countUndelivered();
    const stuck = undelivered !== 0 && state.quietLooks * lookMs >= stuckMs;
    if (state.received !== state.seen || !(undelivered === undefined || stuck)) return;
    if (undelivered !== undefined) onStuck();
    await messages.close();
  };
  // a broker that does not answer is no sign of either
  const timer = setInterval(() => void look().catch(() => undefined), lookMs);
  try {
    for await (const message of messages) {
      if (session() !== opened) break;
      state.received += 1;
      state.waiting = false;
      yield message;
      state.waiting = true;
    }
  } finally {
    clearInterval(timer);
    void messages.close();
  }
}
