import { Kysely, PostgresDialect, sql } from 'kysely';
import { withMarkKey } from './input-marks.ts';
import { openPool } from './pool.ts';

/**
 * Opens a pool for a service's runtime role. Statements end after 15 s and idle transactions after
 * 15 s, so one stuck query cannot hold the service; a server that vanished is given up after 20 s. `bigint` and `numeric` columns read as strings.
 */
export function connectDatabase<Tables>(
  url: string,
  options: { max?: number } = {},
): Kysely<Tables> {
  const pool = openPool({
    connectionString: url,
    max: options.max ?? 10,
    connectionTimeoutMillis: 10_000,
    statement_timeout: 15_000,
    // beyond the server's own limit: only a lost connection takes longer
    query_timeout: 20_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    idle_in_transaction_session_timeout: 15_000,
  });
  return new Kysely<Tables>({ dialect: withMarkKey(new PostgresDialect({ pool }), url) });
}

/** True when the database answers; for readiness. */
export async function answers<Tables>(db: Kysely<Tables>): Promise<boolean> {
  try {
    await sql`select 1`.execute(db);
    return true;
  } catch {
    return false;
  }
}
