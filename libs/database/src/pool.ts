import pg from 'pg';
import type { Counts } from './prepared.ts';
import { isOutdated, saveRoundTrips } from './round-trips.ts';

/**
 * A pool that outlives its server: a client whose server goes away fails its query, not the process,
 * and one still waiting for an answer is closed instead of handed on, or all that follow would wait.
 */
export function openPool(config: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool({ ...config, pipeline: true });
  const counts: Counts = new Map();
  // an idle client whose server went away emits here; the next query opens a new one
  pool.on('error', () => undefined);
  // so does a client in use, beside failing its query, and one that is being closed
  pool.on('connect', (client) => {
    client.on('error', () => undefined);
    saveRoundTrips(client, counts);
  });
  pool.on('release', (_, client) => {
    // the driver says it nowhere else
    const isBusy = Reflect.get(client, 'readyForQuery') === false;
    if (isBusy || isOutdated(client)) void client.end().catch(() => undefined);
  });
  return pool;
}
