import { type Kysely, sql } from 'kysely';
import { expect, test } from 'vitest';
import { createTestDatabase } from './index.ts';

type Tables = { note: { workspace_id: string; body: string } };

const migrations = {
  '0001-note': {
    up: async (db: Kysely<unknown>) => {
      await sql`create table note (workspace_id text not null, body text not null)`.execute(db);
      await sql`alter table note enable row level security`.execute(db);
      await sql`create policy mine on note using (workspace_id = 'ws_mine')`.execute(db);
    },
  },
};

test('the database is migrated, and the service works in it as neither owner nor superuser', async () => {
  const { db, drop } = await createTestDatabase<Tables>(migrations);
  await db.insertInto('note').values({ workspace_id: 'ws_mine', body: 'one' }).execute();
  await expect(
    db.insertInto('note').values({ workspace_id: 'ws_other', body: 'two' }).execute(),
  ).rejects.toThrow('row-level security');
  await expect(sql`drop table note`.execute(db)).rejects.toThrow('must be owner');
  await drop();
});

test('the owner sees what policies hide from the service', async () => {
  const { db, ownerDb, drop } = await createTestDatabase<Tables>(migrations);
  await ownerDb.insertInto('note').values({ workspace_id: 'ws_other', body: 'two' }).execute();
  expect(await db.selectFrom('note').select('body').execute()).toEqual([]);
  expect(await ownerDb.selectFrom('note').select('body').execute()).toEqual([{ body: 'two' }]);
  await drop();
});

test('two databases share nothing, and dropping one leaves the other', async () => {
  const [one, two] = await Promise.all([
    createTestDatabase<Tables>(migrations),
    createTestDatabase<Tables>(migrations),
  ]);
  await one.db.insertInto('note').values({ workspace_id: 'ws_mine', body: 'one' }).execute();
  await one.drop();
  expect(await two.db.selectFrom('note').select('body').execute()).toEqual([]);
  await two.drop();
});
