import { subjectOf, WorkspaceId } from '@manifold/contracts';
import { acrossWorkspaces, onOutgoing } from '@manifold/database';
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { type Kysely, sql } from 'kysely';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { createLatch } from './latch.ts';
import type { MessagingTables } from './tables.ts';

const BATCH = 500;
const POLL_MS = 100;
const KEEP_DAYS = 7;
const UPKEEP_MS = 3_600_000;
const UPKEEP_AGAIN_MS = 60_000;
const RELAY_LOCK = 728_116;

/** Publishes one batch of committed events in order; returns how many it published. */
export async function relayOutbox<Tables extends MessagingTables>(
  tables: Kysely<Tables>,
  nats: NatsConnection,
): Promise<number> {
  // narrowed once: Kysely is invariant in its tables
  const db = tables as unknown as Kysely<MessagingTables>;
  const rows = await acrossWorkspaces(db, (tx) =>
    tx
      .selectFrom('outbox')
      .select(['id', 'workspace_id', 'event_id', 'name', 'key', 'body'])
      .where('published_at', 'is', null)
      .orderBy('id')
      .limit(BATCH)
      .execute(),
  );
  if (rows.length === 0) return 0;
  const published = await publishByKey(rows, nats);
  if (published.length > 0) {
    await acrossWorkspaces(db, (tx) =>
      tx
        .updateTable('outbox')
        .set({ published_at: sql`now()` })
        .where('id', 'in', published)
        .where('published_at', 'is', null)
        .execute(),
    );
  }
  if (published.length < rows.length) throw new Error('The broker did not take every event');
  return published.length;
}

type Row = {
  id: string;
  workspace_id: string;
  event_id: string;
  name: string;
  key: string;
  body: unknown;
};

/** Keys side by side, events of one key one after the other; a failure holds only its own key. */
async function publishByKey(rows: readonly Row[], nats: NatsConnection): Promise<string[]> {
  const js = jetstream(nats);
  const published: string[] = [];
  const byKey = Map.groupBy(rows, (row) => `${row.workspace_id}|${row.key}`);
  await Promise.all(
    [...byKey.values()].map(async (sameKey) => {
      for (const row of sameKey) {
        const subject = subjectOf(row.name, WorkspaceId.parse(row.workspace_id));
        try {
          await js.publish(subject, JSON.stringify(row.body), {
            msgID: row.event_id,
            timeout: 5_000,
          });
        } catch {
          return;
        }
        published.push(row.id);
      }
    }),
  );
  return published;
}

/**
 * Relays events until stopped; one replica at a time, so order holds. An unreachable broker delays
 * events, it never loses them. Wakes on commit and every 100 ms.
 */
export function startRelay<Tables extends MessagingTables>(options: {
  db: Kysely<Tables>;
  nats: NatsConnection;
  log: Logger;
}): () => Promise<void> {
  const { db, nats, log } = options;
  const stopping = new AbortController();
  const latch = createLatch(POLL_MS, stopping.signal);
  const forget = onOutgoing(db, latch.set);
  const finished = (async () => {
    while (!stopping.signal.aborted) {
      await holdRelayLock(db, (stillHeld) =>
        relayWhile({ db, nats, latch, stillHeld, stopping: stopping.signal }),
      ).catch((error: unknown) => log.error({ err: error }, 'events not relayed, trying again'));
      await latch.wait();
    }
  })();
  const tidied = keepTidy(options, stopping.signal);
  return async () => {
    forget();
    stopping.abort();
    await Promise.all([finished, tidied]);
  };
}

/** Makes room in the tables, beside the relay: whatever becomes of it, events are published. */
async function keepTidy<Tables extends MessagingTables>(
  { db, log }: { db: Kysely<Tables>; log: Logger },
  stopping: AbortSignal,
): Promise<void> {
  while (!stopping.aborted) {
    const pause = await sql`select keep_messaging_tidy(${sql.lit(KEEP_DAYS)})`.execute(db).then(
      () => UPKEEP_MS,
      (error: unknown) => {
        log.error({ err: error }, 'old messages not removed, trying again');
        return UPKEEP_AGAIN_MS;
      },
    );
    await sleep(pause, undefined, { signal: stopping }).catch(() => undefined);
  }
}

/** Runs `work` on the one connection, over all replicas, that holds the relay lock. */
async function holdRelayLock<Tables>(
  db: Kysely<Tables>,
  work: (stillHeld: () => Promise<unknown>) => Promise<void>,
): Promise<void> {
  await db.connection().execute(async (connection) => {
    const { rows } = await sql<{
      held: boolean;
    }>`select pg_try_advisory_lock(${sql.lit(RELAY_LOCK)}) as held`.execute(connection);
    if (rows[0]?.held !== true) return;
    try {
      await work(() => sql`select 1`.execute(connection));
    } finally {
      await sql`select pg_advisory_unlock(${sql.lit(RELAY_LOCK)})`
        .execute(connection)
        .catch(() => undefined);
    }
  });
}

async function relayWhile<Tables extends MessagingTables>(options: {
  db: Kysely<Tables>;
  nats: NatsConnection;
  latch: ReturnType<typeof createLatch>;
  stillHeld: () => Promise<unknown>;
  stopping: AbortSignal;
}): Promise<void> {
  const { db, nats, latch, stillHeld, stopping } = options;
  while (!stopping.aborted) {
    await stillHeld();
    const moved = await relayOutbox(db, nats);
    if (moved < BATCH) await latch.wait();
  }
}
