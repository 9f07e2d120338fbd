import { ownerOf } from '@manifold/contracts';
import { acrossWorkspaces, onOutgoing } from '@manifold/database';
import type { NatsConnection } from '@nats-io/transport-node';
import { type Kysely, sql } from 'kysely';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { sessionOf } from '../connect.ts';
import { holdLock } from '../leading.ts';
import { createLatch } from '../latch.ts';
import { type OutboxRow, type Sent, sendByKey } from './outgoing.ts';
import {
  type Known,
  listKnown,
  checkStream,
  noteNotSent,
  noteSentAgain,
  noteTaken,
  ownedBy,
} from '../streams/stream-state.ts';
import type { MessagingTables } from '../tables.ts';
import { KEEP_DAYS, keepTidy } from '../streams/tidying.ts';

const BATCH = 500;
const POLL_MS = 100;
const CHECK_MS = 1_000;
const SAY_AGAIN_MS = 60_000;
const RELAY_LOCK = 728_116;

interface Relaying<Tables> {
  db: Kysely<Tables>;
  nats: NatsConnection;
  log: Logger;
}

/**
 * Publishes one batch of committed events in order; returns how many. What a stream lost is sent
 * again first, so that nothing new overtakes it. `always` false: an empty outbox is left at that.
 */
export async function relayOutbox<Tables extends MessagingTables>(
  tables: Kysely<Tables>,
  nats: NatsConnection,
  { log, always = true }: { log?: Logger; always?: boolean } = {},
): Promise<number> {
  // narrowed once: Kysely is invariant in its tables
  const db = tables as unknown as Kysely<MessagingTables>;
  const { rows, known } = await readOutbox(db);
  const unfinished = known.some(({ again }) => again !== undefined);
  if (rows.length === 0 && !unfinished && !always) return 0;
  const session = sessionOf(nats);
  if (session === undefined) throw new Error('The broker is away');
  const streams = new Map<string, Known>();
  for (const stream of new Set([...known.map((one) => one.stream), ...rows.map(streamOfRow)])) {
    const before = known.find((one) => one.stream === stream);
    streams.set(stream, await checkStream({ db, nats, log }, stream, before));
  }
  const to = { nats, session, streams };
  for (const { stream, round, again } of streams.values()) {
    if (again) return sendAgain(db, to, { stream, round, again });
  }
  if (rows.length === 0) return 0;
  const sent = await sendByKey(rows, { ...to, messageIdOf: ({ event_id }) => event_id });
  await noteSent(db, sent);
  if (sent.ids.length < rows.length) throw new Error('The broker did not take every event');
  return sent.ids.length;
}

const streamOfRow = ({ name }: { name: string }): string => ownerOf(name);
const COLUMNS = ['id', 'workspace_id', 'event_id', 'name', 'key', 'body'] as const;

/** The next events to publish, and the streams as they were last known. */
async function readOutbox(db: Kysely<MessagingTables>) {
  return acrossWorkspaces(db, async (tx) => {
    const rows = await tx
      .selectFrom('outbox')
      .select(COLUMNS)
      .where('published_at', 'is', null)
      .orderBy('id')
      .limit(BATCH)
      .execute();
    return { rows: rows satisfies OutboxRow[], known: await listKnown(tx) };
  });
}

async function noteSent(db: Kysely<MessagingTables>, { ids, taken }: Sent): Promise<void> {
  if (ids.length === 0) return;
  await acrossWorkspaces(db, async (tx) => {
    await tx
      .updateTable('outbox')
      .set({ published_at: sql`now()` })
      .where('id', 'in', ids)
      .where('published_at', 'is', null)
      .execute();
    await noteTaken(tx, taken);
  });
}

/**
 * Sends one batch of what a stream lost, under new message ids: the broker drops ids it has seen.
 * The ids are the same when a batch is repeated after a crash. Rows whose note of being done may be
 * gone at a consumer are too old to be sent again. What is refused, as by a full stream, holds its
 * own key only: that goes on from there like new events.
 */
async function sendAgain(
  db: Kysely<MessagingTables>,
  to: { nats: NatsConnection; session: string; streams: ReadonlyMap<string, Known> },
  {
    stream,
    round,
    again,
  }: { stream: string; round: number; again: { after: string; upto: string } },
): Promise<number> {
  const rows = await acrossWorkspaces(db, (tx) =>
    tx
      .selectFrom('outbox')
      .select(COLUMNS)
      .where('id', '>', again.after)
      .where('id', '<=', again.upto)
      .where('published_at', '>', sql<Date>`now() - ${sql.lit(KEEP_DAYS)} * interval '1 day'`)
      .where(ownedBy(stream))
      .orderBy('id')
      .limit(BATCH)
      .execute(),
  );
  const messageIdOf = ({ event_id }: OutboxRow) => `${event_id}:${round}`;
  const sent = await sendByKey(rows, { ...to, messageIdOf });
  const after = rows.length < BATCH ? undefined : rows.at(-1)?.id;
  await acrossWorkspaces(db, async (tx) => {
    await noteTaken(tx, sent.taken);
    if (!sent.changed) await noteNotSent(tx, sent.refused);
    if (!sent.changed) await noteSentAgain(tx, stream, after);
  });
  if (sent.changed) throw new Error('The broker did not take every event again');
  return BATCH; // there may be more at once
}

/**
 * Relays events until stopped; one replica at a time, so order holds. An unreachable broker delays
 * events and an emptied one gets them again: it never loses them. Wakes on commit and every 100 ms.
 */
export function startRelay<Tables extends MessagingTables>(
  options: Relaying<Tables>,
): () => Promise<void> {
  const { db } = options;
  const stopping = new AbortController();
  const latch = createLatch(POLL_MS, stopping.signal);
  const forget = onOutgoing(db, latch.set);
  const report = reportTrouble(options.log);
  const finished = (async () => {
    while (!stopping.signal.aborted) {
      const relaying = { ...options, latch, report, stopping: stopping.signal };
      const work = (stillHeld: () => Promise<unknown>) => relayWhile({ ...relaying, stillHeld });
      await holdLock(db, RELAY_LOCK, work).catch(report.trouble);
      // not the latch, which every commit raises
      await sleep(POLL_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  })();
  const tidied = keepTidy(options, stopping.signal);
  return async () => {
    forget();
    stopping.abort();
    await Promise.all([finished, tidied]);
  };
}

async function relayWhile<Tables extends MessagingTables>(
  options: Relaying<Tables> & {
    latch: ReturnType<typeof createLatch>;
    report: ReturnType<typeof reportTrouble>;
    stillHeld: () => Promise<unknown>;
    stopping: AbortSignal;
  },
): Promise<void> {
  const { db, nats, log, latch, report, stillHeld, stopping } = options;
  let checkedAt = -CHECK_MS;
  while (!stopping.aborted) {
    await stillHeld();
    // also without anything to send, a lost stream is noticed
    const always = performance.now() - checkedAt >= CHECK_MS;
    if (always) checkedAt = performance.now();
    const moved = await relayOutbox(db, nats, { log, always });
    report.well();
    if (moved < BATCH) await latch.wait();
  }
}

/** Says that events are not relayed once a minute, and that they are again. */
function reportTrouble(log: Logger) {
  let lastSaid: number | undefined;
  return {
    trouble: (error: unknown): void => {
      if (lastSaid !== undefined && performance.now() - lastSaid < SAY_AGAIN_MS) return;
      lastSaid = performance.now();
      log.error({ err: error }, 'events not relayed, trying again');
    },
    well: (): void => {
      if (lastSaid !== undefined) log.info('events are relayed again');
      lastSaid = undefined;
    },
  };
}
