import { randomUUID } from 'node:crypto';
import { acrossWorkspaces } from '@manifold/database';
import {
  createTestDatabase,
  eventually,
  silentLog,
  startTestNats,
  startTestPipedrive,
} from '@manifold/testing';
import { sql } from 'kysely';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { type Named, startReplicated } from '../../../test/granted.ts';
import { listEvents } from '../../../test/looking.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables, Tx } from '../../store.ts';
import { rejectGrant } from '../commands.ts';
import { grantColumns, openToken } from './credential.ts';
import { insertGrant, setGrant } from '../grants/store.ts';
import { setConnection } from '../store.ts';

const HOUR_MS = 3_600_000;

const database = await createTestDatabase<Tables>(migrations);
const nats = await startTestNats();
let skewMs = 0;
const now = () => new Date(Date.now() + skewMs);
const sandbox = await startTestPipedrive({ now });
const ground = { database, natsUrl: nats.url, sandbox, now, log: silentLog };
const { installation, vault, pools, replicas, granted, holdTokens, stop } =
  await startReplicated(ground);
const registered = {
  clientId: 'test-app',
  clientSecret: 'canary-client-secret',
  redirectUris: [installation.redirectUrl],
  scopes: ['contacts:full', 'deals:full', 'leads:full', 'admin'],
};

beforeEach(async () => {
  skewMs = 0;
  await installation.control('DELETE', '/faults');
});
afterAll(async () => {
  await stop();
  await sandbox.stop();
  await nats.stop();
  await database.drop();
});

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
  const connection = await granted.connect();
  const version = await granted.versionOf(connection);
  skewMs = 0.81 * HOUR_MS;
  await installation.control('POST', '/faults', {
    kind: 'latency',
    ms: 150,
    match: { path: '/oauth/token' },
  });
  expect(outcomesOf(await callAtOnce(connection))).toEqual(Array(8).fill('ok'));
  expect(await granted.versionOf(connection)).toBe(version + 1);
});

test('a token is left alone until four fifths of its life have passed', async () => {
  const connection = await granted.connect();
  const version = await granted.versionOf(connection);
  skewMs = 0.79 * HOUR_MS;
  expect(outcomesOf(await callAtOnce(connection))).toEqual(Array(8).fill('ok'));
  expect(await granted.versionOf(connection)).toBe(version);
});

test('a token Pipedrive turns away is replaced once, whatever its age, and the call repeated', async () => {
  const connection = await granted.connect();
  // Pipedrive's clock alone: to us the token looks new
  skewMs = 2 * HOUR_MS;
  const { id, token_version: version } = await granted.grantOf(connection);
  await acrossWorkspaces(database.db, (tx) =>
    setGrant(tx, { id, version }, { refresh_at: new Date(Date.now() + 9 * HOUR_MS) }),
  );
  expect(outcomesOf(await callAtOnce(connection))).toEqual(Array(8).fill('ok'));
  expect(await granted.versionOf(connection)).toBe(version + 2);
});

test('workspaces that connect one user share a grant, and one refresh serves them all', async () => {
  const [one, other] = [await granted.connect(), await granted.connect()];
  expect((await granted.grantOf(one)).id).toBe((await granted.grantOf(other)).id);
  const version = await granted.versionOf(one);
  skewMs = 0.81 * HOUR_MS;
  const ended = await Promise.all([callAtOnce(one), callAtOnce(other)]);
  expect(ended.flatMap(outcomesOf)).toEqual(Array(16).fill('ok'));
  expect(await granted.versionOf(other)).toBe(version + 1);
});

test('a grant that is gone makes each of its connections say so once, however many find out', async () => {
  const [connection, other] = [await granted.connect(), await granted.connect()];
  await granted.revokeAtPipedrive(connection);
  skewMs = 0.81 * HOUR_MS;
  for (let round = 0; round < 2; round += 1) {
    expect(outcomesOf(await callAtOnce(connection))).toEqual(
      Array(8).fill('connection_needs_reauth'),
    );
  }
  for (const { workspaceId } of [connection, other]) {
    const events = await listEvents(database.db, workspaceId, 'connection_status_changed');
    expect(events.map(({ payload }) => [payload.status, payload.reason])).toEqual([
      ['NEEDS_REAUTH', 'token_rejected'],
    ]);
  }
  expect((await granted.rowOf(other))?.broken_since).not.toBeNull();
});

test('a revoked grant is also found out by a call that is turned away', async () => {
  const connection = await granted.connect();
  await granted.revokeAtPipedrive(connection);
  expect(outcomesOf(await callAtOnce(connection))).toEqual(
    Array(8).fill('connection_needs_reauth'),
  );
  expect(await granted.rowOf(connection)).toMatchObject({ status: 'NEEDS_REAUTH' });
});

describe('a refresh that comes back changes nothing when meanwhile', () => {
  const refreshWhile = async (
    meanwhile: (tx: Tx, held: { id: string; version: number }) => Promise<unknown>,
  ) => {
    const connection = await granted.connect();
    const { id, token_version: version } = await granted.grantOf(connection);
    skewMs = 0.81 * HOUR_MS;
    const letGo = await holdTokens();
    const asked = replicas[0]?.clientFor(connection.workspaceId, connection.id, use);
    const refreshed = asked?.catch(() => undefined);
    await eventually(async () => expect(await refreshesUnderWay()).toBe(1));
    await acrossWorkspaces(database.db, (tx) => meanwhile(tx, { id, version }));
    await letGo();
    await refreshed;
    return { row: await granted.rowOf(connection), grant: await granted.grantOf(connection) };
  };

  test('the app was removed', async () => {
    const { row, grant } = await refreshWhile((tx, held) =>
      rejectGrant(tx, { ...held, reason: 'app_removed', now: now() }),
    );
    expect(grant).toMatchObject({ access_token: null, refresh_token: null });
    expect(row).toMatchObject({ status: 'NEEDS_REAUTH', status_reason: 'app_removed' });
  });

  test('its user connected again', async () => {
    const renewed = { access_token: 'renewed', refresh_token: 'renewed' };
    const { row, grant } = await refreshWhile((tx, held) => setGrant(tx, held, renewed));
    expect(grant).toMatchObject(renewed);
    expect(row).toMatchObject({ status: 'ACTIVE' });
  });
});

/** Gives a connection a grant of its own with the tokens of the shared one. */
async function separate(connection: Named) {
  const shared = await granted.grantOf(connection);
  const [accessToken = '', refreshToken = ''] = (['access_token', 'refresh_token'] as const).map(
    (column) => openToken(vault, shared, column),
  );
  const id = randomUUID();
  const tokens = { accessToken, refreshToken, scopes: [], apiDomain: '', tokenType: 'bearer' };
  const grant = { ...tokens, expiresInSeconds: 3_600 };
  const columns = grantColumns(vault, { id }, { grant, now: now() });
  await acrossWorkspaces(database.db, async (tx) => {
    await insertGrant(tx, { ...shared, ...columns, id, company_id: id });
    await setConnection(tx, connection.id, { grant_id: id });
  });
}

test('many refreshes at once leave the database to others', async () => {
  const connections: Named[] = [];
  for (let count = 0; count < 6; count += 1) connections.push(await granted.connect());
  for (const connection of connections) await separate(connection);
  skewMs = 0.81 * HOUR_MS;
  const letGo = await holdTokens();
  let ended = 0;
  const refreshed = connections.map(async ({ workspaceId, id }) => {
    await replicas[0]?.clientFor(workspaceId, id, use);
    ended += 1;
  });
  await eventually(async () => expect(await refreshesUnderWay()).toBeGreaterThan(3));
  await sql`select 1`.execute(pools[0] ?? database.db);

  expect(ended).toBe(0);
  await letGo();
  await Promise.all(refreshed);
});

test('an app Pipedrive does not know marks no connection', async () => {
  const connection = await granted.connect();
  await installation.control('POST', '/apps', { ...registered, clientSecret: 'another-secret' });
  skewMs = 1.1 * HOUR_MS;
  expect(outcomesOf(await callAtOnce(connection))).toEqual(Array(8).fill('pipedrive_refused'));
  expect(await granted.rowOf(connection)).toMatchObject({ status: 'ACTIVE' });
  await installation.control('POST', '/apps', registered);
  expect(outcomesOf(await callAtOnce(connection))).toEqual(Array(8).fill('ok'));
});

test('while Pipedrive gives no tokens the old one is used as long as it lives, then it is said', async () => {
  const connection = await granted.connect();
  const version = await granted.versionOf(connection);
  await installation.control('POST', '/faults', {
    kind: 'cut-before',
    match: { path: '/oauth/token' },
  });
  skewMs = 0.9 * HOUR_MS;
  expect(outcomesOf(await callAtOnce(connection))).toEqual(Array(8).fill('ok'));
  skewMs = 1.1 * HOUR_MS;
  expect(outcomesOf(await callAtOnce(connection))).toEqual(Array(8).fill('pipedrive_unreachable'));
  expect(await granted.rowOf(connection)).toMatchObject({ status: 'ACTIVE' });
  expect(await granted.versionOf(connection)).toBe(version);
});
