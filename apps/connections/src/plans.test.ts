import {
  ConnectionId,
  WebhookReceiptId,
  WorkspaceId,
  WriteRequestId,
  WriteStepId,
} from '@manifold/contracts';
import { newId, withWorkspace } from '@manifold/database';
import { createTestDatabase } from '@manifold/testing';
import {
  CompiledQuery,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  sql,
} from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import * as grants from './accounts/grants/store.ts';
import * as accounts from './accounts/store.ts';
import * as usage from './budget/usage/store.ts';
import * as links from './links/store.ts';
import { migrations } from './migrations/index.ts';
import type { Db, Tables } from './store.ts';
import * as dataKeys from './vault/store.ts';
import * as webhooks from './webhooks/store.ts';
import * as echoes from './writes/echoes/store.ts';
import * as hashes from './writes/hashes/store.ts';
import * as overwrites from './writes/overwrites/store.ts';
import * as leasing from './writes/sending/leasing/store.ts';
import * as sending from './writes/sending/store.ts';
import * as writes from './writes/store.ts';

const { db, ownerDb, drop } = await createTestDatabase<Tables>(migrations);
const workspaceId = newId('ws', WorkspaceId);
const connectionId = newId('cn', ConnectionId);
const requestId = newId('wr', WriteRequestId);
const stepId = newId('st', WriteStepId);
const now = new Date('2026-03-01T10:00:00Z');
const lease = { workspace_id: workspaceId, id: stepId, fence: 1 };
const record = { companyId: '1', object: 'person' as const, pipedriveId: '77' };
const keys = { workspaceId, companyId: '1', object: 'person' as const, keyHashes: ['a', 'b'] };
const keyed = { ...lease, company_id: '1', key_hashes: ['a', 'b'], survivor_hashes: [] };
const settled = { state: 'parked', reason: null, settled_at: now } as const;

/** In pages: a few looks into an index, where reading one table or one index of it takes hundreds. */
const MOST_COST = 60;
const plans = z.array(
  z.object({ 'QUERY PLAN': z.array(z.object({ Plan: z.object({ 'Total Cost': z.number() }) })) }),
);

/** What runs for every write and every webhook. */
const calls: Record<string, (tx: Db) => Promise<unknown>> = {
  findConnection: (tx) => accounts.findConnection(tx, connectionId),
  lockConnection: (tx) => accounts.lockConnection(tx, connectionId),
  setConnection: (tx) => accounts.setConnection(tx, connectionId, { is_admin: true }),
  findGrant: (tx) => grants.findGrant(tx, 'g_7'),
  lockConnectionsOfGrant: (tx) => grants.lockConnectionsOfGrant(tx, 'g_7'),
  setConnectionsOfGrant: (tx) =>
    grants.setConnectionsOfGrant(tx, 'g_7', { scopes: [], api_domain: 'https://c' }),
  findNewestDataKey: (tx) => dataKeys.findNewestDataKey(tx, workspaceId),
  findRequestByKey: (tx) => writes.findRequestByKey(tx, 'key'),
  findRequest: (tx) => writes.findRequest(tx, requestId),
  lockRequest: (tx) => writes.lockRequest(tx, requestId),
  setRequestState: (tx) => writes.setRequestState(tx, requestId, settled),
  findStep: (tx) => writes.findStep(tx, stepId),
  listSteps: (tx) => writes.listSteps(tx, [requestId]),
  listStepsByIds: (tx) => writes.listStepsByIds(tx, [stepId]),
  listRequestsByIds: (tx) => writes.listRequestsByIds(tx, [requestId]),
  listSentTo: (tx) => echoes.listSentTo(tx, { workspaceId, ...record, updateTime: 'then' }),
  extendLeases: (tx) => leasing.extendLeases(tx, { owner: 'me', steps: [lease], until: now }),
  changeHeldStep: (tx) => sending.changeHeldStep(tx, lease, { state: 'applied' }, 1),
  changeIdleStep: (tx) => sending.changeIdleStep(tx, stepId, { state: 'cancelled' }),
  removeTurns: (tx) => sending.removeTurns(tx, stepId),
  hasFollower: (tx) => sending.hasFollower(tx, keyed),
  lockFollower: (tx) => sending.lockFollower(tx, keyed),
  findHashes: (tx) => hashes.findHashes(tx, record),
  listEchoedUpdates: (tx) =>
    overwrites.listEchoedUpdates(tx, { workspaceId, ...record, updateTime: 'then' }),
  listMadeByOthers: (tx) =>
    echoes.listMadeByOthers(
      tx,
      { workspace_id: workspaceId, company_id: record.companyId, object: 'person', id: stepId },
      ['7', '8'],
    ),
  isCreateUnderWay: (tx) =>
    echoes.isCreateUnderWay(
      tx,
      { workspace_id: workspaceId, company_id: record.companyId, object: 'person', id: stepId },
      now,
    ),
  listOpenCreates: (tx) => echoes.listOpenCreates(tx, { ...keys, marks: ['m'] }),
  setEcho: (tx) => echoes.setEcho(tx, stepId, { pipedriveId: '9', now }),
  listLinks: (tx) => links.listLinks(tx, keys),
  removeClaims: (tx) => links.removeClaims(tx, stepId),
  setLinksGone: (tx) => links.setLinksGone(tx, record, now),
  moveLinks: (tx) => links.moveLinks(tx, record, { pipedriveId: '78', now }),
  removeCalls: (tx) => usage.removeCalls(tx, workspaceId, { before: now, limit: 10 }),
  findReceiptByEvent: (tx) =>
    webhooks.findReceiptByEvent(tx, { workspaceId, connectionId, metaId: 'm' }),
  listReceived: (tx) => webhooks.listReceived(tx, { workspaceId, connectionId, now, limit: 20 }),
  listReceipts: (tx) => webhooks.listReceipts(tx, workspaceId, [newId('wh', WebhookReceiptId)]),
  removeOldReceipts: (tx) => webhooks.removeOldReceipts(tx, new Date('2020-01-01'), 10),
};

beforeAll(() =>
  ownerDb.transaction().execute(async (tx) => {
    await sql`select set_config('manifold.workspace', '*', true)`.execute(tx);
    for (const statement of crowd) await sql.raw(statement).execute(tx);
  }),
);
afterAll(drop);

test.each(Object.entries(calls))('among many rows %s reads those it is about', async (_, call) => {
  const queries = await compiledBy(call);
  expect(queries.length).toBeGreaterThan(0);
  for (const { sql: text, parameters } of queries) {
    const { rows } = await withWorkspace(db, workspaceId, (tx) =>
      tx.executeQuery(CompiledQuery.raw(`explain (format json) ${text}`, [...parameters])),
    );
    const [plan] = plans.parse(rows)[0]?.['QUERY PLAN'] ?? [];
    expect(plan?.Plan['Total Cost'], text).toBeLessThan(MOST_COST);
  }
});

/** The statements a function would send, without sending them. */
async function compiledBy(call: (tx: Db) => Promise<unknown>): Promise<CompiledQuery[]> {
  const queries: CompiledQuery[] = [];
  const recorder = new Kysely<Tables>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (of) => new PostgresIntrospector(of),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
    log: ({ query }) => void queries.push(query),
  });
  await call(recorder);
  return queries.filter(({ sql: text }) => !/advisory/.test(text));
}

/** 20,000 rows of 5,000 workspaces in each table. */
const many = 'from generate_series(1, 20000) n';
const ws = `'ws_' || (n % 5000)`;
const crowd = [
  `insert into connection select ${ws}, 'cn_' || n, 'us', 'PERSONAL', 'OAUTH', 'ACTIVE', null, '1',
    'C', 'c', 'https://c', n::text, true, '{}', null, 1, 'ACTIVE', null, 'p',
    'h' || n, 'p', false, null, now(), 'c', now(), now(), 'g_' || n ${many}`,
  `insert into pipedrive_grant select 'g_' || n, 'app', '1', n::text, 'https://c', '{}', null, null,
    now(), now(), 1, now(), now() ${many}`,
  `insert into data_key select ${ws}, lpad(n::text, 8, '0'), 'DATA', 'w', 'm', now(), now(), now() ${many}`,
  `insert into write_request select ${ws}, 'wr_' || n, 'cn_1', '1', null, 'k' || n, 'b', 'succeeded',
    null, 'event', 's', 't', 'i' || n, 'user', 'u', 'c', null, null, now(), now() ${many}`,
  `insert into write_step select ${ws}, 'st_' || n, 'wr_' || n, 'cn_1', '1', 0, 'person', 'upsert',
    'person', 'update', 'always', '{}', '{}', null, null,
    case when n % 200 = 0 then 'unknown' else 'applied' end, 'event', now(), null, null, 1, 0, 0,
    null, 'created', null, null, null, null, null, null, n::text, null, null, '{}', '{}', 1, now(),
    now() ${many}`,
  `insert into write_turn select ${ws}, '1', 'k' || n, n, 'st_' || n ${many}`,
  `insert into link select ${ws}, '1', 'person', 'k' || n,
    case when n % 200 = 0 then 'creating' else 'linked' end, n::text, 'st_' || n, now() ${many}`,
  `insert into api_call select ${ws}, n::text, '1', 'cn_1', 'getPerson', 1, 200, 'ok', 'event', 'f',
    now() ${many}`,
  `insert into webhook_receipt select ${ws}, 'wh_' || n, 'cn_1', 'understood', null, null, 'm' || n,
    'person', n::text, 0, now(), now() ${many}`,
  ...[
    'pipedrive_grant',
    'data_key',
    'connection',
    'write_request',
    'write_step',
    'write_turn',
    'link',
    'api_call',
  ].map((table) => `analyze ${table}`),
  'analyze webhook_receipt',
];
