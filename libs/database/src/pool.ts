import pg from 'pg';

/**
 * A pool that outlives its server: a client whose server goes away fails its query, not the process,
 * and one still waiting for an answer is closed instead of handed on, or all that follow would wait.
 */
export function openPool(config: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool(config);
  // an idle client whose server went away emits here; the next query opens a new one
  pool.on('error', () => undefined);
  // so does a client in use, beside failing its query, and one that is being closed
  pool.on('connect', (client) => client.on('error', () => undefined));
  pool.on('release', (_, client) => {
    // the driver says it nowhere else
    if (Reflect.get(client, 'readyForQuery') === false) void client.end().catch(() => undefined);
  });
  return pool;
}
