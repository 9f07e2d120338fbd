import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';

/**
 * Opens a pool for a service's runtime role. Statements end after 15 s and idle transactions after
 * 15 s, so one stuck query cannot hold the service. `bigint` and `numeric` columns read as strings.
 */
export function connectDatabase<Tables>(
  url: string,
  options: { max?: number } = {},
): Kysely<Tables> {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.max ?? 10,
    connectionTimeoutMillis: 10_000,
    statement_timeout: 15_000,
    idle_in_transaction_session_timeout: 15_000,
  });
  // an idle client whose server went away emits here; the next query opens a new one
  pool.on('error', () => undefined);
  // so does a client in use, beside failing its query
  pool.on('connect', (client) => client.on('error', () => undefined));
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
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
