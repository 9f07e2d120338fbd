import { ConnectionId, type WorkspaceId } from '@manifold/contracts';
import { connectDatabase, withWorkspace } from '@manifold/database';
import {
  createTestDatabase,
  eventually,
  silentLog,
  startTestNats,
  startTestPipedrive,
} from '@manifold/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Installation, newWorkspace, startInstallation } from '../../test/installation.ts';
import { listEvents } from '../../test/looking.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables, Tx } from '../store.ts';
import { basicAuthorization } from '../vault/compare.ts';
import { createVault } from '../vault/seal.ts';
import { createPipedriveAccess, type PipedriveAccess } from './client.ts';
import { dropGrant } from './commands.ts';
import { openSecret } from './credential.ts';
import { findConnection, setConnection } from './store.ts';

const BEGIN = `mutation { beginConnection(input: { kind: PERSONAL }) { authorizationUrl } }`;
const HOUR_MS = 3_600_000;

const database = await createTestDatabase<Tables>(migrations);
const nats = await startTestNats();
const vault = createVault(Buffer.alloc(32, 7));
let registered: object;
let skewMs = 0;
const now = () => new Date(Date.now() + skewMs);
const sandbox = await startTestPipedrive({ now });
const pools = [1, 2].map(() => connectDatabase<Tables>(database.urls.appUrl, { max: 6 }));
let installation: Installation;
let replicas: PipedriveAccess[];
let userId: number;

beforeAll(async () => {
  installation = await startInstallation({
    urls: database.urls,
    natsUrl: nats.url,
    sandbox,
    log: silentLog,
  });
  registered = {
    clientId: 'test-app',
    clientSecret: 'canary-client-secret',
    redirectUris: [installation.redirectUrl],
    scopes: ['contacts:full', 'deals:full', 'leads:full', 'admin'],
  };
  userId = (await installation.control('GET', '/state')).users[0].id;
  replicas = pools.map((db) =>
    createPipedriveAccess({
      db,
      vault,
      oauth: {
        clientId: 'test-app',
        clientSecret: 'canary-client-secret',
        oauthUrl: sandbox.url,
      },
      allowedApiDomains: [sandbox.url],
      now,
      log: silentLog,
      admit: () => Promise.resolve({ admitted: true }),
      onCall: () => Promise.resolve(),
    }),
  );
});
beforeEach(async () => {
  skewMs = 0;
  await installation.control('DELETE', '/faults');
});
afterAll(async () => {
  await installation.stop();
  await Promise.all(pools.map((pool) => pool.destroy()));
  await sandbox.stop();
  await nats.stop();
  await database.drop();
});

interface Named {
  workspaceId: WorkspaceId;
  id: ConnectionId;
}

async function connect(): Promise<Named> {
  const workspaceId = newWorkspace();
  const { data } = await installation.graph(BEGIN, {}, { workspaceId });
  const { authorizationUrl } = data.beginConnection;
  await fetch(await installation.consent(authorizationUrl, { userId }));
  const LIST = '{ connections { nodes { id } } }';
  const listed = await installation.graph(LIST, {}, { workspaceId });
  return { workspaceId, id: ConnectionId.parse(listed.data.connections.nodes[0].id) };
}

const rowOf = ({ workspaceId, id }: Named) =>
  withWorkspace(database.db, workspaceId, (tx) => findConnection(tx, id));

/** What a person revoking elsewhere does; nobody tells us. */
async function revokeAtPipedrive(of: Named) {
  const row = await rowOf(of);
  const token = row && openSecret(vault, row, 'refresh_token');
  const response = await fetch(`${sandbox.url}/oauth/revoke`, {
    method: 'POST',
    headers: { authorization: basicAuthorization('test-app', 'canary-client-secret') },
    body: new URLSearchParams({ token: token ?? '', token_type_hint: 'refresh_token' }),
  });
  expect(response.status).toBe(200);
}

/** Eight callers at once, four in each of two processes with pools of their own. */
const callAtOnce = ({ workspaceId, id }: Named) =>
  Promise.allSettled(
    Array.from({ length: 8 }, async (_, caller) => {
      const replica = replicas[caller % replicas.length];
      const client = await replica?.clientFor(workspaceId, id, { lane: 'event', feature: 'test' });
      return (await client?.getMe())?.outcome;
    }),
  );

const use = { lane: 'event', feature: 'test' } as const;

const slowTokens = { kind: 'latency', ms: 700, match: { path: '/oauth/token' } };

async function refreshesUnderWay(): Promise<number> {
  const { rows } = await sql`select 1 from pg_locks where locktype = 'advisory' and granted
    and pid in (select pid from pg_stat_activity where state = 'idle in transaction')
    and database = (select oid from pg_database where datname = current_database())`.execute(
    database.db,
  );
  return rows.length;
}

const outcomesOf = (settled: PromiseSettledResult<string | undefined>[]) =>
  settled.map((one) => (one.status === 'fulfilled' ? one.value : one.reason.detail?.reason));

test('eight callers in two processes find an old token: one refresh, and all of them work', async () => {
  const connection = await connect();
  skewMs = 0.81 * HOUR_MS;
  await installation.control('POST', '/faults', {
    kind: 'latency',
    ms: 150,
    match: { path: '/oauth/token' },
  });
  expect(outcomesOf(await callAtOnce(connection))).toEqual(Array(8).fill('ok'));
  expect((await rowOf(connection))?.token_version).toBe(2);
});

test('a token is left alone until four fifths of its life have passed', async () => {
  const connection = await connect();
  skewMs = 0.79 * HOUR_MS;
  expect(outcomesOf(await callAtOnce(connection))).toEqual(Array(8).fill('ok'));
  expect((await rowOf(connection))?.token_version).toBe(1);
});

test('a token Pipedrive turns away is replaced once, whatever its age, and the call repeated', async () => {
  const connection = await connect();
  // Pipedrive's clock alone: to us the token looks new
  skewMs = 2 * HOUR_MS;
  await withWorkspace(database.db, connection.workspaceId, (tx) =>
    setConnection(tx, connection.id, { refresh_at: new Date(Date.now() + 9 * HOUR_MS) }),
  );
  expect(outcomesOf(await callAtOnce(connection))).toEqual(Array(8).fill('ok'));
  expect((await rowOf(connection))?.token_version).toBe(2);
});

test('a grant that is gone makes the connection say so once, however many find out', async () => {
  const connection = await connect();
  await revokeAtPipedrive(connection);
  skewMs = 0.81 * HOUR_MS;
  for (let round = 0; round < 2; round += 1) {
    expect(outcomesOf(await callAtOnce(connection))).toEqual(
      Array(8).fill('connection_needs_reauth'),
    );
  }
  const events = await listEvents(database.db, connection.workspaceId, 'connection_status_changed');
  expect(events.map(({ payload }) => [payload.status, payload.reason])).toEqual([
    ['NEEDS_REAUTH', 'token_rejected'],
  ]);
});

test('a revoked grant is also found out by a call that is turned away', async () => {
  const connection = await connect();
  await revokeAtPipedrive(connection);
  expect(outcomesOf(await callAtOnce(connection))).toEqual(
    Array(8).fill('connection_needs_reauth'),
  );
  expect(await rowOf(connection)).toMatchObject({ status: 'NEEDS_REAUTH' });
});

describe('a refresh that comes back changes nothing when meanwhile', () => {
  const refreshWhile = async (meanwhile: (tx: Tx, of: Named) => Promise<unknown>) => {
    const connection = await connect();
    skewMs = 0.81 * HOUR_MS;
    await installation.control('POST', '/faults', slowTokens);
    const asked = replicas[0]?.clientFor(connection.workspaceId, connection.id, use);
    const refreshed = asked?.catch(() => undefined);
    await eventually(async () => expect(await refreshesUnderWay()).toBe(1));
    await withWorkspace(database.db, connection.workspaceId, (tx) => meanwhile(tx, connection));
    await refreshed;
    return rowOf(connection);
  };

  test('the app was removed', async () => {
    const row = await refreshWhile((tx, { workspaceId, id }) => {
      const actor = { kind: 'pipedrive', id: '1' } as const;
      const asker = { workspaceId, actor, correlationId: 'test' };
      return dropGrant(tx, id, { asker, now: now() });
    });
    expect(row).toMatchObject({ access_token: null, refresh_token: null, status: 'NEEDS_REAUTH' });
  });

  test('its user connected again', async () => {
    const renewed = { access_token: 'renewed', refresh_token: 'renewed', token_version: 2 };
    const row = await refreshWhile((tx, { id }) => setConnection(tx, id, renewed));
    expect(row).toMatchObject(renewed);
  });
});

test('many refreshes at once leave the database to others', async () => {
  const connections: Named[] = [];
  for (let count = 0; count < 6; count += 1) connections.push(await connect());
  skewMs = 0.81 * HOUR_MS;
  await installation.control('POST', '/faults', slowTokens);
  let ended = 0;
  const refreshed = connections.map(async ({ workspaceId, id }) => {
    await replicas[0]?.clientFor(workspaceId, id, use);
    ended += 1;
  });
  await eventually(async () => expect(await refreshesUnderWay()).toBeGreaterThan(3));
  await sql`select 1`.execute(pools[0] ?? database.db);

  expect(ended).toBe(0);
  await Promise.all(refreshed);
});

test('an app Pipedrive does not know marks no connection', async () => {
  const connection = await connect();
  await installation.control('POST', '/apps', { ...registered, clientSecret: 'another-secret' });
  skewMs = 1.1 * HOUR_MS;
  expect(outcomesOf(await callAtOnce(connection))).toEqual(Array(8).fill('pipedrive_refused'));
  expect(await rowOf(connection)).toMatchObject({ status: 'ACTIVE' });
  await installation.control('POST', '/apps', registered);
  expect(outcomesOf(await callAtOnce(connection))).toEqual(Array(8).fill('ok'));
});

test('while Pipedrive gives no tokens the old one is used as long as it lives, then it is said', async () => {
  const connection = await connect();
  await installation.control('POST', '/faults', {
    kind: 'cut-before',
    match: { path: '/oauth/token' },
  });
  skewMs = 0.9 * HOUR_MS;
  expect(outcomesOf(await callAtOnce(connection))).toEqual(Array(8).fill('ok'));
  skewMs = 1.1 * HOUR_MS;
  expect(outcomesOf(await callAtOnce(connection))).toEqual(Array(8).fill('pipedrive_unreachable'));
  expect(await rowOf(connection)).toMatchObject({ status: 'ACTIVE', token_version: 1 });
});
