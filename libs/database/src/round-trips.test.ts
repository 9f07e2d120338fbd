import { WorkspaceId } from '@manifold/contracts';
import { createTestDatabase } from '@manifold/testing';
import { sql } from 'kysely';
import { afterAll, expect, test } from 'vitest';
import { connectDatabase } from './connect.ts';
import { newId } from './ids.ts';
import { withWorkspace } from './tenancy.ts';

const { db, ownerDb, urls, drop } = await createTestDatabase({
  '0001-things': {
    up: async (tx) => void (await sql`create table thing (id int)`.execute(tx)),
  },
});
const one = connectDatabase<object>(urls.appUrl, { max: 1 });
afterAll(async () => {
  await one.destroy();
  await drop();
});

const workspaceId = newId('ws', WorkspaceId);

test('a transaction begins with its first statement, in its workspace', async () => {
  await withWorkspace(db, workspaceId, async (tx) => {
    expect(await countTransactions()).toBe(0);
    const { rows } = await sql<{ workspace: string }>`
      select current_setting('manifold.workspace') as workspace`.execute(tx);
    expect(rows).toEqual([{ workspace: workspaceId }]);
    expect(await countTransactions()).toBe(1);
  });
  expect(await countTransactions()).toBe(0);
});

test('one in which nothing is asked ends well, and leaves its connection usable', async () => {
  expect(await withWorkspace(db, workspaceId, async () => 'done')).toBe('done');
  await expect(
    withWorkspace(db, workspaceId, () => Promise.reject(new Error('changed my mind'))),
  ).rejects.toThrow('changed my mind');
  await expect(sql`select 1`.execute(db)).resolves.toMatchObject({ rows: [{}] });
});

test('what was done before the scope was changed is kept, and the transaction ends', async () => {
  await withWorkspace(ownerDb, workspaceId, async (tx) => {
    await sql`insert into thing values (7)`.execute(tx);
    await sql`select set_config('manifold.workspace', ${'*'}, true)`.execute(tx);
  });
  const { rows } = await sql`delete from thing returning id`.execute(ownerDb);
  expect(rows).toEqual([{ id: 7 }]);
});

test('what was done before a failure is undone', async () => {
  const failing = withWorkspace(ownerDb, workspaceId, async (tx) => {
    await sql`insert into thing values (1)`.execute(tx);
    await sql`select 1 / 0`.execute(tx);
  });
  await expect(failing).rejects.toThrow('division by zero');
  const { rows } = await sql`select from thing`.execute(ownerDb);
  expect(rows).toEqual([]);
});

test('a statement that comes up often is prepared, a rare one is not', async () => {
  for (let turn = 0; turn < 5; turn += 1) await sql`select ${turn}::int as often`.execute(one);
  await sql`select 1 as rare`.execute(one);
  const { rows } = await sql`select statement from pg_prepared_statements`.execute(one);
  expect(rows).toEqual([{ statement: 'select $1::int as often' }]);
});

test('a connection that prepared a statement on a table since changed is replaced', async () => {
  await sql`grant select on thing to public`.execute(ownerDb);
  const read = () => sql`select * from thing`.execute(one);
  for (let turn = 0; turn < 5; turn += 1) await read();
  await sql`alter table thing add column name text`.execute(ownerDb);

  await expect(read()).rejects.toThrow('cached plan');
  await expect(read()).resolves.toMatchObject({ rows: [] });
});

async function countTransactions(): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null`.execute(
    db,
  );
  return rows[0]?.count ?? 0;
}
