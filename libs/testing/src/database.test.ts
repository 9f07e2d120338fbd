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

test('what is migrated once is copied to all who ask for the same, and nothing else is', async () => {
  let runs = 0;
  const counted = {
    '0001-counted': {
      up: async (db: Kysely<unknown>) => {
        runs += 1;
        await migrations['0001-note'].up(db);
      },
    },
  };
  const first = await createTestDatabase<Tables>(counted);
  await first.db.insertInto('note').values({ workspace_id: 'ws_mine', body: 'one' }).execute();
  const second = await createTestDatabase<Tables>(counted);
  expect(await second.db.selectFrom('note').select('body').execute()).toEqual([]);
  expect(runs).toBe(1);

  const more = { ...counted, '0002-more': { up: async () => undefined } };
  const third = await createTestDatabase<Tables>(more);
  expect(runs).toBe(2);
  await Promise.all([first, second, third].map(({ drop }) => drop()));
});

test('workers that build the same at once all get a database of their own', async () => {
  const named = { '0001-at-once': migrations['0001-note'] };
  const made = await Promise.all([1, 2, 3].map(() => createTestDatabase<Tables>(named)));
  const note = { workspace_id: 'ws_mine', body: 'one' };
  for (const { db } of made) await db.insertInto('note').values(note).execute();
  for (const { db } of made)
    expect(await db.selectFrom('note').selectAll().execute()).toEqual([note]);
  await Promise.all(made.map(({ drop }) => drop()));
});
