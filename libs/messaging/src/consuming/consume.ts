import { ownerOf, type ServiceName } from '@manifold/contracts';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Kysely } from 'kysely';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { sessionOf } from '../connect.ts';
import { createDeadLetterResponders } from '../failing/dead-letters.ts';
import { countUndelivered, openConsumer } from './durable.ts';
import type { Handler } from './handler.ts';
import { type Batch, handlersOf, settleInBatches } from './in-batches.ts';
import { settleInSeries } from './in-series.ts';
import type { Messages, Settling } from './incoming.ts';
import { lead } from '../leading.ts';
import { serveRequests } from '../asking/requests.ts';
import type { MessagingTables } from '../tables.ts';
import { retryWaiting } from '../failing/waiting.ts';
import { watched } from './watching.ts';

const BUFFERED = 64;
const BUFFERED_FOR_BATCHES = 500;
const REOPEN_MS = 500;

interface Following<Tables> {
  db: Kysely<Tables>;
  nats: NatsConnection;
  service: ServiceName;
  log: Logger;
}

/**
 * Follows the streams of the handlers' events with one durable consumer each: events of one key in
 * series, up to 16 keys at once. A failure is kept in Postgres and acknowledged, so it delays only
 * its own key. One replica of a service does this at a time, so order holds over all of them; call
 * it once per service. Also answers for the service's dead letters. Returns how to stop.
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

type Settle<Tables> = (settling: Settling<Tables>, messages: Messages) => Promise<void>;

async function followAll<Tables extends MessagingTables>(
  options: Following<Tables>,
  handlers: readonly Handler<Tables>[],
  how: { settle: Settle<Tables>; buffered: number },
): Promise<() => Promise<void>> {
  const { db, nats, service, log } = options;
  const byStream = [...Map.groupBy(handlers, ({ eventName }) => ownerOf(eventName))];
  const lock = `consuming|${service}`;
  const stopLeading = lead({ db, lock, log }, async (term) => {
    const followed = byStream.map(([stream, its]) => {
      const byName = new Map(its.map((handler) => [handler.eventName, handler]));
      return follow({ ...options, ...how, stream, handlers: byName, stopping: term });
    });
    await Promise.all([...followed, retryWaiting({ ...options, handlers }, term)]);
  });
  const responders = createDeadLetterResponders({ db, service });
  const stopServing = serveRequests({ nats, service, responders, log });
  return async () => {
    await Promise.all([stopLeading(), stopServing()]);
  };
}

type Followed<Tables> = Settling<Tables> &
  Following<Tables> & { stream: string; settle: Settle<Tables>; buffered: number };

/** Follows one stream until stopped: a lost consumer, stream or broker is made or waited for again. */
async function follow<Tables extends MessagingTables>(options: Followed<Tables>): Promise<void> {
  const { stream, service, log, stopping } = options;
  while (!stopping.aborted) {
    await followWhileOpen(options).catch((error: unknown) =>
      log.warn({ err: error, stream, service }, 'stream lost, following it again'),
    );
    await sleep(REOPEN_MS, undefined, { signal: stopping }).catch(() => undefined);
  }
}

async function followWhileOpen<Tables extends MessagingTables>(
  options: Followed<Tables>,
): Promise<void> {
  const { nats, stream, service, log, settle, stopping } = options;
  const messages = await openConsumer(options);
  // it is closed only once it is read to its end, which `settle` does
  const close = () => void messages.close();
  if (stopping.aborted) close();
  stopping.addEventListener('abort', close, { once: true });
  try {
    const handedOn = watched(messages, {
      session: () => sessionOf(nats),
      countUndelivered: () => countUndelivered(options),
      onStuck: () => log.warn({ stream, service }, 'consumer stuck, opening it again'),
    });
    await settle(options, handedOn);
  } finally {
    stopping.removeEventListener('abort', close);
  }
}
