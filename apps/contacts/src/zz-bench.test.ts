import { newId, withWorkspace } from '@manifold/database';
import { WorkspaceId, DataSourceId, ConnectionId, type PipedriveRecord } from '@manifold/contracts';
import { createTestDatabase, silentLog, startTestNats, eventually } from '@manifold/testing';
import { sql } from 'kysely';
import { test } from 'vitest';
import { migrations } from './migrations/index.ts';
import type { Tables } from './store.ts';
import { listContactPage, countContacts } from './lists/store.ts';
import { openDesk } from './sync.fixture.ts';
import { personOf, sourceOf } from './records.fixture.ts';
test('bench', async () => {
  const { db, ownerDb, drop } = await createTestDatabase<Tables>(migrations);
  const ws = newId('ws', WorkspaceId), ds = newId('ds', DataSourceId), cn = newId('cn', ConnectionId);
  const N = 300000;
  await ownerDb.transaction().execute(async (tx) => {
    await sql`set local statement_timeout = 0`.execute(tx);
    await sql`select set_config('manifold.workspace', '*', true)`.execute(tx);
    await sql`insert into contact select ${ws}, 'ct_' || md5(i::text), 'Person ' || md5(i::text), 'person ' || md5(i::text), 'p' || i || '@example.com', '', null, jsonb_build_object('name', 'x' || i, 'industry', i % 10, 'text', repeat('x', 400)), '{}', now() - i * interval '1 second', now() - (i % 1000) * interval '1 minute' from generate_series(1, ${sql.lit(N)}) i`.execute(tx);
    await sql`insert into record_link select ${ws}, ${ds}, ${cn}, 'person', i::text, 'ct_' || md5(i::text), now(), null, 1, null, null from generate_series(1, ${sql.lit(N)}) i`.execute(tx);
  });
  await sql`vacuum analyze contact`.execute(ownerDb); await sql`analyze`.execute(ownerDb);
  const time = async (name: string, work: (tx: any) => Promise<unknown>) => {
    const s = performance.now(); const r = await withWorkspace(db, ws, work);
    console.log(name, Math.round(performance.now() - s), 'ms', Array.isArray(r) ? r.length : r);
    return r as any;
  };
  const page = (cursor?: string[]) => ({ limit: 51, backwards: false, cursor });
  for (const field of ['NAME', 'EMAIL', 'CREATED_AT', 'UPDATED_AT'] as const) {
    const order = { field, direction: 'ASC' } as const;
    const rows = await time(field + ' p1', (tx) => listContactPage(tx, ws, { filter: {}, order, page: page() }));
    const last = rows.at(-1);
    const mid = field === 'NAME' ? 'person 8' : field === 'EMAIL' ? 'p2' : new Date(Date.now() - 300_000_00).toISOString();
    await time(field + ' mid', (tx) => listContactPage(tx, ws, { filter: {}, order, page: page([mid, last.id]) }));
  }
  const order = { field: 'NAME', direction: 'ASC' } as const;
  const f = (filter: any, name = JSON.stringify(filter)) => time(name, (tx) => listContactPage(tx, ws, { filter, order, page: page() }));
  await f({ email: 'p777@example.com' });
  await f({ emailContains: 'p7777' });
  await f({ nameContains: 'abcdef' });
  await f({ dataSourceId: ds });
  await f({ updatedAfter: new Date(Date.now() - 120_000) });
  await f({ variable: { key: 'industry', equalsNumber: 3 } });
  await f({ variable: { key: 'name', equals: 'x777' } });
  await time('count', (tx) => countContacts(tx, ws, {}));
  const { nats, stop } = await startTestNats();
  const desk = openDesk({ db, nats, log: silentLog, eventually });
  const keys = Array.from({ length: 34 }, (_, i) => String(i).padStart(40, 'c'));
  const src = sourceOf();
  for (const k of keys) { src.catalogue.push({ object: 'person', code: k, name: k, type: 'varchar', custom: true }); src.rows.push({ id: k, source: { object: 'person', field: k }, target: { object: 'contact', field: k, type: 'text' } }); }
  desk.neighbours.mapping.source = src;
  desk.neighbours.records.person = Array.from({ length: 50000 }, (_, i): PipedriveRecord => { const p = personOf(i + 1); return { ...p, fields: { ...p.fields, ...Object.fromEntries(keys.map((k, j) => [k, `value ${i} ${j}`])) } }; });
  const source = await desk.openSource();
  desk.startWorker({ pageSize: 500 });
  const s = performance.now();
  const run = await desk.ended((await desk.start(source.id)).id, 60000);
  const ms = performance.now() - s;
  console.log('sync', run.counts, Math.round(ms), Math.round(50000 / ms * 1000), '/s', Math.round(process.memoryUsage().rss / 1e6), 'MB');
  await desk.close(); await drop(); await stop();
}, 220000);
