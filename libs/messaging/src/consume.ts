import {
  EventEnvelopeHead,
  type EventEnvelope,
  ownerOf,
  type ServiceName,
} from '@manifold/contracts';
import {
  AckPolicy,
  type ConsumerMessages,
  DeliverPolicy,
  type JsMsg,
  jetstream,
  jetstreamManager,
} from '@nats-io/jetstream';
import { type NatsConnection, nanos } from '@nats-io/transport-node';
import type { Kysely } from 'kysely';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type Handler, handleEvent } from './handle.ts';
import { ensureStream } from './streams.ts';
import type { MessagingTables } from './tables.ts';
import { startWaitingLoop } from './waiting.ts';

const KEYS_AT_ONCE = 16;
const BUFFERED = 64;
const ACK_WAIT_MS = 30_000;

interface Consuming<Tables> {
  db: Kysely<Tables>;
  nats: NatsConnection;
  service: ServiceName;
  handlers: readonly Handler<Tables>[];
  log: Logger;
}

/**
 * Follows the streams of the handlers' events with one durable consumer each: events of one key in
 * series, up to 16 keys at once. A failure is kept in Postgres and acknowledged, so it delays only
 * its own key. Returns how to stop between messages.
 */
export async function consume<Tables extends MessagingTables>(
  options: Consuming<Tables>,
): Promise<() => Promise<void>> {
  const byStream = Map.groupBy(options.handlers, ({ eventName }) => ownerOf(eventName));
  const stops = [...byStream].map(([stream, handlers]) => follow({ ...options, stream, handlers }));
  stops.push(startWaitingLoop(options));
  return async () => {
    await Promise.all(stops.map((stop) => stop()));
  };
}

/** Follows one stream for ever: a lost consumer, stream or broker is made or waited for again. */
function follow<Tables extends MessagingTables>(
  options: Consuming<Tables> & { stream: string },
): () => Promise<void> {
  const { stream, service, log } = options;
  const stopping = new AbortController();
  let current: ConsumerMessages | undefined;
  const finished = (async () => {
    while (!stopping.signal.aborted) {
      try {
        current = await openConsumer(options);
        if (stopping.signal.aborted) await current.close();
        await settleAll(options, current);
      } catch (error) {
        log.warn({ err: error, stream, service }, 'stream lost, following it again');
      }
      await sleep(500, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  })();
  return async () => {
    stopping.abort();
    await current?.close();
    await finished;
  };
}

async function openConsumer(options: {
  nats: NatsConnection;
  stream: string;
  service: string;
  handlers: readonly { eventName: string }[];
}): Promise<ConsumerMessages> {
  const { nats, stream, service, handlers } = options;
  await ensureStream(nats, stream); // whoever starts first creates it
  const manager = await jetstreamManager(nats, { checkAPI: false });
  const filters = handlers.map(({ eventName }) => `${eventName}.*`);
  const wanted = {
    ack_wait: nanos(ACK_WAIT_MS),
    max_ack_pending: 1_000,
    // no limit: giving up is decided in Postgres, where it is visible
    max_deliver: -1,
    filter_subjects: filters,
  };
  const existing = await manager.consumers.info(stream, service).catch(() => undefined);
  if (existing) await manager.consumers.update(stream, service, wanted);
  else {
    await manager.consumers.add(stream, {
      durable_name: service,
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      ...wanted,
    });
  }
  const consumer = await jetstream(nats).consumers.get(stream, service);
  return consumer.consume({ max_messages: BUFFERED, abort_on_missing_resource: true });
}

async function settleAll<Tables extends MessagingTables>(
  options: Consuming<Tables>,
  messages: ConsumerMessages,
): Promise<void> {
  const tails = new Map<string, Promise<void>>();
  const pending = new Set<JsMsg>();
  // a message that waits for its turn must not run out of time
  const heartbeat = setInterval(() => {
    for (const message of pending) message.working();
  }, ACK_WAIT_MS / 3);
  try {
    for await (const message of messages) {
      const key = keyOf(options.handlers, message);
      pending.add(message);
      const tail = (tails.get(key) ?? Promise.resolve())
        .then(() => settle(options, message))
        .finally(() => {
          pending.delete(message);
          if (tails.get(key) === tail) tails.delete(key);
        });
      tails.set(key, tail);
      if (tails.size >= KEYS_AT_ONCE) await Promise.race(tails.values());
    }
    await Promise.all(tails.values());
  } finally {
    clearInterval(heartbeat);
  }
}

function readEnvelope(message: JsMsg): EventEnvelope | undefined {
  try {
    return EventEnvelopeHead.parse(message.json());
  } catch {
    return undefined;
  }
}

function keyOf<Tables>(handlers: readonly Handler<Tables>[], message: JsMsg): string {
  const event = readEnvelope(message);
  const handler = handlers.find(({ eventName }) => eventName === event?.name);
  try {
    return event && handler ? `${event.workspaceId}|${handler.keyOf(event)}` : message.subject;
  } catch {
    return message.subject;
  }
}

/** Every message ends acknowledged; one that Postgres could not take is delivered again. */
async function settle<Tables extends MessagingTables>(
  options: Consuming<Tables>,
  message: JsMsg,
): Promise<void> {
  const { handlers, log, service, db } = options;
  const event = readEnvelope(message);
  const handler = handlers.find(({ eventName }) => eventName === event?.name);
  if (!event || !handler) {
    // never ours by subject: somebody published under our filter by hand
    log.error({ subject: message.subject, seq: message.seq, service }, 'unknown message dropped');
    return message.term();
  }
  try {
    const body = message.string();
    const key = keyOf(handlers, message);
    const outcome = await handleEvent({ db, service, handler }, { event, key, body });
    if (outcome === 'waiting') log.warn({ event: event.id, name: event.name }, 'event waits');
    message.ack();
  } catch (error) {
    log.error({ err: error, event: event.id }, 'event not stored, the broker will bring it again');
    message.nak(1_000);
  }
}
