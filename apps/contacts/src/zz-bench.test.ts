import { newId, withWorkspace, acrossWorkspaces } from '@manifold/database';
import { WorkspaceId, DataSourceId, ConnectionId } from '@manifold/contracts';
import { createTestDatabase } from '@manifold/testing';
import { sql } from 'kysely';
import { test } from 'vitest';
import { migrations } from './migrations/index.ts';
import type { Tables } from './store.ts';
import { listContactPage, countContacts } from './lists/store.ts';
import { listContactsByEmail } from './links/store.ts';
test('bench', async () => {
  const { db, ownerDb, drop } = await createTestDatabase<Tables>(migrations);
  const ws = newId('ws', WorkspaceId),
    ds = newId('ds', DataSourceId),
    cn = newId('cn', ConnectionId);
  const N = 300000;
  await ownerDb.transaction().execute(async (tx) => {
    await sql`set local statement_timeout = 0`.execute(tx);
    await sql`select set_config('manifold.workspace', '*', true)`.execute(tx);
    await sql`insert into contact select ${ws}, 'ct_' || md5(i::text), 'Person ' || md5(i::text), 'person ' || md5(i::text), 'p' || i || '@example.com', '', null, jsonb_build_object('name', 'x' || i, 'industry', i % 10, 'text', repeat('x', 400)), '{}', now() - i * interval '1 second', now() - (i % 1000) * interval '1 minute' from generate_series(1, ${sql.lit(N)}) i`.execute(
      tx,
    );
    await sql`insert into record_link select ${ws}, ${ds}, ${cn}, 'person', i::text, 'ct_' || md5(i::text), now(), null, 1, null, null from generate_series(1, ${sql.lit(N)}) i`.execute(
      tx,
    );
  });
  await sql`analyze`.execute(ownerDb);
  const time = async (name: string, work: (tx: any) => Promise<unknown>) => {
    const s = performance.now();
    const r = await withWorkspace(db, ws, work);
    console.log(name, Math.round(performance.now() - s), 'ms', Array.isArray(r) ? r.length : r);
    return r as any;
  };
  const page = (cursor?: string[]) => ({ limit: 51, backwards: false, cursor });
  for (const field of ['NAME', 'EMAIL', 'CREATED_AT', 'UPDATED_AT'] as const) {
    const order = { field, direction: 'ASC' } as const;
    const rows = await time(field + ' p1', (tx) =>
      listContactPage(tx, ws, { filter: {}, order, page: page() }),
    );
    const last = rows.at(-1);
    const mid =
      field === 'NAME'
        ? 'person 8'
        : field === 'EMAIL'
          ? 'p2'
          : new Date(Date.now() - 300_000_00).toISOString();
    await time(field + ' mid', (tx) =>
      listContactPage(tx, ws, { filter: {}, order, page: page([mid, last.id]) }),
    );
  }
  const order = { field: 'NAME', direction: 'ASC' } as const;
  const f = (filter: any, name = JSON.stringify(filter)) =>
    time(name, (tx) => listContactPage(tx, ws, { filter, order, page: page() }));
  await f({ email: 'p777@example.com' });
  await f({ emailContains: 'p7777' });
  await f({ nameContains: 'abcdef' });
  await f({ dataSourceId: ds });
  await f({ updatedAfter: new Date(Date.now() - 120_000) });
  await f({ variable: { key: 'industry', equalsNumber: 3 } });
  await f({ variable: { key: 'name', equals: 'x777' } });
  await time('count', (tx) => countContacts(tx, ws, {}));
  const emails = Array.from({ length: 500 }, (_, i) => `p${i * 7}@example.com`);
  await time('byEmail', (tx) =>
    listContactsByEmail(tx, { workspaceId: ws, dataSourceId: ds, object: 'person' }, emails),
  );
  const plan = await withWorkspace(db, ws, (tx) =>
    sql<any>`explain analyze select * from contact entity where workspace_id = ${ws} and (name_sort, id) > (${'person 8'}::text, ${'x'}::text) order by name_sort, id limit 51`.execute(
      tx,
    ),
  );
  console.log(plan.rows.map((r: any) => r['QUERY PLAN']).join('\n'));
  await drop();
}, 120000);
