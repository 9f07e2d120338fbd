import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask } from './ask.ts';
import { createDatabase, dropDatabase } from './database.ts';
import type { PostgresServer } from './server.ts';
import { startPostgres } from './start.ts';

let server: PostgresServer;
let number = 0;
beforeAll(async () => {
  server = await startPostgres({ durable: false, env: {} });
});
afterAll(() => server.stop());

test('the owner makes tables; the service may use them once granted, and no more', async () => {
  const { ownerUrl, appUrl } = await createDatabase(server, named());
  await ask(ownerUrl, 'create table note (body text)');
  await expect(ask(appUrl, 'select * from note')).rejects.toThrow('permission denied');
  await ask(ownerUrl, `grant select on note to ${new URL(appUrl).username}`);
  expect(await ask(appUrl, 'select * from note')).toEqual([]);

  await expect(ask(appUrl, 'create table mine (body text)')).rejects.toThrow(
    'permission denied for schema public',
  );
  await expect(ask(appUrl, 'create temp table mine (body text)')).rejects.toThrow(
    'permission denied',
  );
  await expect(ask(appUrl, 'drop table note')).rejects.toThrow('must be owner');
  await expect(ask(appUrl, 'create database mine')).rejects.toThrow('permission denied');
  await expect(ask(appUrl, 'create role mine')).rejects.toThrow('permission denied');
});

test('row-level security binds the service', async () => {
  const { ownerUrl, appUrl } = await createDatabase(server, named());
  await ask(
    ownerUrl,
    `create table note (body text); insert into note values ('secret');
    alter table note enable row level security; grant select on note to public`,
  );
  expect(await ask(appUrl, 'select * from note')).toEqual([]);
  await expect(ask(appUrl, 'alter table note disable row level security')).rejects.toThrow(
    'must be owner',
  );
});

test("no service connects to another's database", async () => {
  const [one, two] = [await createDatabase(server, named()), await createDatabase(server, named())];
  for (const url of [one.appUrl, one.ownerUrl]) {
    const crossing = new URL(url);
    crossing.pathname = new URL(two.appUrl).pathname;
    await expect(ask(crossing.href, 'select 1')).rejects.toThrow('permission denied for database');
  }
});

test('a second call keeps the data and its URLs work', async () => {
  const database = { ...named(), passwords: { owner: 'o/w:n@er', app: "it's" } };
  const first = await createDatabase(server, database);
  await ask(first.ownerUrl, 'create table kept as select 42 as answer');
  const again = await createDatabase(server, database);
  expect(again).toEqual(first);
  const renewed = await createDatabase(server, {
    ...database,
    passwords: { owner: 'a', app: 'b' },
  });
  expect(await ask(renewed.ownerUrl, 'select answer from kept')).toEqual([42]);
});

test('nine services made at once all work', async () => {
  const made = await Promise.all(Array.from({ length: 9 }, () => createDatabase(server, named())));
  for (const { appUrl } of made) expect(await ask(appUrl, 'select 1 as one')).toEqual([1]);
});

test('one service made twice at once is made once', async () => {
  const database = { ...named(), passwords: { owner: 'a', app: 'b' } };
  const [one, two] = await Promise.all([
    createDatabase(server, database),
    createDatabase(server, database),
  ]);
  expect(one).toEqual(two);
  expect(await ask(one.appUrl, 'select 1 as one')).toEqual([1]);
});

test('a role that may do too much is refused', async () => {
  const database = named();
  await ask(server.url, `create role ${database.appRole} superuser`);
  await expect(createDatabase(server, database)).rejects.toThrow(
    `Role ${database.appRole} exists and may do more`,
  );
});

test('a server whose user is no superuser will do', async () => {
  await ask(server.url, 'create role maker login createdb createrole');
  const maker = { url: server.url.replace('postgres@', 'maker@') };
  const database = named();
  const { appUrl } = await createDatabase(maker, database);
  expect(await ask(appUrl, 'select 1 as one')).toEqual([1]);
  await createDatabase(maker, database);
  await dropDatabase(maker, database);
});

test('drop removes database and roles, in use or not there', async () => {
  const database = named();
  const { appUrl } = await createDatabase(server, database);
  const user = new pg.Client({ connectionString: appUrl });
  user.on('error', () => undefined);
  await user.connect();

  await dropDatabase(server, database);
  await dropDatabase(server, database);
  const left = `select 1 from pg_roles where rolname like '${database.name}%' union all
    select 1 from pg_database where datname = '${database.name}'`;
  expect(await ask(server.url, left)).toEqual([]);
});

function named() {
  number += 1;
  return {
    name: `service${number}`,
    ownerRole: `service${number}_owner`,
    appRole: `service${number}_app`,
  };
}
