import { ownerOf, type ServiceName } from '@manifold/contracts';
import {
  AckPolicy,
  type ConsumerMessages,
  DeliverPolicy,
  jetstream,
  jetstreamManager,
} from '@nats-io/jetstream';
import { type NatsConnection, nanos } from '@nats-io/transport-node';
import type { Kysely } from 'kysely';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Handler } from './handler.ts';
import { type Batch, handlersOf, settleInBatches } from './in-batches.ts';
import { settleInSeries } from './in-series.ts';
import { ACK_WAIT_MS, type Settling } from './incoming.ts';
import { ensureStream } from './streams.ts';
import type { MessagingTables } from './tables.ts';
import { startWaitingLoop } from './waiting.ts';

const BUFFERED = 64;
const BUFFERED_FOR_BATCHES = 500;

interface Following<Tables> {
  db: Kysely<Tables>;
  nats: NatsConnection;
  service: ServiceName;
  log: Logger;
}

/**
 * Follows the streams of the handlers' events with one durable consumer each: events of one key in
 * series, up to 16 keys at once. A failure is kept in Postgres and acknowledged, so it delays only
 * its own key. Returns how to stop between messages.
 */
export async function consume<Tables extends MessagingTables>(
  options: Following<Tables> & { handlers: readonly Handler<Tables>[] },
): Promise<() => Promise<void>> {
  const { handlers } = options;
  return followAll(options, handlers, { settle: settleInSeries, buffered: BUFFERED });
}

/**
 * Follows streams like `consume`, for events whose order does not matter: as many as have come are
 * settled in one transaction. One that fails is kept in Postgres and tried again by itself.
 */
export async function consumeInBatches<Tables extends MessagingTables, Line>(
  options: Following<Tables> & { batch: Batch<Tables, Line> },
): Promise<() => Promise<void>> {
  const { batch } = options;
  const settle: Settle<Tables> = (settling, messages) =>
    settleInBatches({ ...settling, batch }, messages);
  return followAll(options, handlersOf(batch), { settle, buffered: BUFFERED_FOR_BATCHES });
}

type Settle<Tables> = (settling: Settling<Tables>, messages: ConsumerMessages) => Promise<void>;

async function followAll<Tables extends MessagingTables>(
  options: Following<Tables>,
  handlers: readonly Handler<Tables>[],
  { settle, buffered }: { settle: Settle<Tables>; buffered: number },
): Promise<() => Promise<void>> {
  const byStream = Map.groupBy(handlers, ({ eventName }) => ownerOf(eventName));
  const stops = [...byStream].map(([stream, its]) => {
    const byName = new Map(its.map((handler) => [handler.eventName, handler]));
    return follow({ ...options, stream, handlers: byName, settle, buffered });
  });
  stops.push(startWaitingLoop({ ...options, handlers }));
  return async () => {
    await Promise.all(stops.map((stop) => stop()));
  };
}

/** Follows one stream for ever: a lost consumer, stream or broker is made or waited for again. */
function follow<Tables extends MessagingTables>(
  options: Omit<Settling<Tables>, 'stopping'> &
    Following<Tables> & { stream: string; settle: Settle<Tables>; buffered: number },
): () => Promise<void> {
  const { stream, service, log, settle } = options;
  const stopping = new AbortController();
  let current: ConsumerMessages | undefined;
  const finished = (async () => {
    while (!stopping.signal.aborted) {
      try {
        current = await openConsumer(options);
        // it is closed only once it is read to its end, which `settle` does
        if (stopping.signal.aborted) void current.close();
        await settle({ ...options, stopping: stopping.signal }, current);
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
  handlers: ReadonlyMap<string, unknown>;
  buffered: number;
}): Promise<ConsumerMessages> {
  const { nats, stream, service, handlers, buffered } = options;
  await ensureStream(nats, stream); // whoever starts first creates it
  const manager = await jetstreamManager(nats, { checkAPI: false });
  const wanted = {
    ack_wait: nanos(ACK_WAIT_MS),
    max_ack_pending: 1_000,
    // no limit: giving up is decided in Postgres, where it is visible
    max_deliver: -1,
    filter_subjects: [...handlers.keys()].map((eventName) => `${eventName}.*`),
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
  return consumer.consume({ max_messages: buffered, abort_on_missing_resource: true });
}
