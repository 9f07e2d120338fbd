import { type Kysely, sql } from 'kysely';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';

const STAND_BY_MS = 250;
const AFTER_TROUBLE_MS = 2_000;
const STILL_HELD_MS = 500;

/** Names a lock of one database, shared by all replicas of a service. */
export type Lock = number | string;

/**
 * Runs `work` on the one connection, over all replicas, that holds the lock; returns false when
 * another holds it. Postgres drops the lock with the connection, so a killed holder holds nothing.
 */
export async function holdLock<Tables>(
  db: Kysely<Tables>,
  name: Lock,
  work: (stillHeld: () => Promise<unknown>) => Promise<void>,
): Promise<boolean> {
  return db.connection().execute(async (connection) => {
    const lock =
      typeof name === 'number' ? sql`${sql.lit(name)}` : sql`hashtextextended(${name}, 0)`;
    const { rows } = await sql<{ held: boolean }>`
      select pg_try_advisory_lock(${lock}) as held`.execute(connection);
    if (rows[0]?.held !== true) return false;
    try {
      // a holder whose machine vanished is noticed within half a minute, not two hours
      await sql`select set_config('tcp_keepalives_idle', '10', false),
        set_config('tcp_keepalives_interval', '5', false),
        set_config('tcp_keepalives_count', '3', false)`.execute(connection);
      await work(() => sql`select 1`.execute(connection));
    } finally {
      await sql`select pg_advisory_unlock(${lock})`.execute(connection).catch(() => undefined);
    }
    return true;
  });
}

/**
 * Runs `work` in one replica at a time, again and again until stopped. Its signal is aborted when
 * the service stops or the lock is lost; `work` then ends what is in hand and returns. The others
 * stand by and take over as soon as the lock is free.
 */
export function lead<Tables>(
  options: { db: Kysely<Tables>; lock: Lock; log: Logger },
  work: (term: AbortSignal) => Promise<void>,
): () => Promise<void> {
  const { db, lock, log } = options;
  const stopping = new AbortController();
  const finished = (async () => {
    while (!stopping.signal.aborted) {
      const rest = await holdLock(db, lock, (stillHeld) =>
        leadOneTerm(stopping.signal, stillHeld, work),
      ).then(
        () => STAND_BY_MS,
        (error: unknown) => {
          log.warn({ err: error }, 'not leading, trying again');
          return AFTER_TROUBLE_MS;
        },
      );
      await pause(rest, stopping.signal);
    }
  })();
  return async () => {
    stopping.abort();
    await finished;
  };
}

async function leadOneTerm(
  stopping: AbortSignal,
  stillHeld: () => Promise<unknown>,
  work: (term: AbortSignal) => Promise<void>,
): Promise<void> {
  const over = new AbortController();
  const term = AbortSignal.any([stopping, over.signal]);
  const watching = (async () => {
    while (!term.aborted) {
      await stillHeld();
      await pause(STILL_HELD_MS, term);
    }
  })()
    .catch(() => undefined)
    .finally(() => over.abort());
  try {
    await work(term);
  } finally {
    over.abort();
    await watching;
  }
}

const pause = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  sleep(milliseconds, undefined, { signal }).catch(() => undefined);
