import { createTestDatabase } from '@manifold/testing';
import { afterAll, expect, test } from 'vitest';
import { openPool } from './pool.ts';

const { urls, drop } = await createTestDatabase({});
const pool = openPool({ connectionString: urls.appUrl, max: 1, query_timeout: 400 });
afterAll(async () => {
  await pool.end();
  await drop();
});

test('a connection whose query got no answer in time is not used again', async () => {
  const client = await pool.connect();
  await expect(client.query('select pg_sleep(30)')).rejects.toThrow('timeout');
  client.release();

  await expect(pool.query('select 1')).resolves.toMatchObject({ rowCount: 1 });
});

test('a connection whose query failed is', async () => {
  const backend = async () => {
    const client = await pool.connect();
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    await client.query('select 1 / 0').catch(() => undefined);
    await client.query('select 1');
    client.release();
    return rows[0]?.pid;
  };
  expect(await backend()).toBe(await backend());
});
