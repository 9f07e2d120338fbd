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
import { afterAll, beforeEach, expect, test } from 'vitest';
import { replicaApps, startReplicated } from '../../../test/granted.ts';
import { listEvents } from '../../../test/looking.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import { basicAuthorization } from '../../vault/compare.ts';
import { releaseGrant } from '../grants/commands.ts';
import { insertGrant, listGrants } from '../grants/store.ts';
import { recheckCredential, tendGrants } from '../grants/upkeep.ts';
import { setConnection } from '../store.ts';
import { createTokens } from './tokens.ts';

const HOUR_MS = 3_600_000;

const database = await createTestDatabase<Tables>(migrations);
const nats = await startTestNats();
let skewMs = 0;
const now = () => new Date(Date.now() + skewMs);
const sandbox = await startTestPipedrive({ now });
const ground = { database, natsUrl: nats.url, sandbox, now, log: silentLog };
const { installation, vault, pools, replicas, granted, holdTokens, stop } =
  await startReplicated(ground);

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

const use = { lane: 'event', feature: 'test' } as const;
const tokenDeps = () => ({
  ...{ db: database.db, vault, now, log: silentLog },
  apps: replicaApps(sandbox),
  allowedApiDomains: [sandbox.url],
  onCall: () => Promise.resolve(),
});

test('a grant whose token is turned away twice is kept, and its connection works again by itself', async () => {
  const connection = await granted.connect();
  const tokens = createTokens(tokenDeps());
  const credential = await tokens.credentialOf(connection.workspaceId, connection.id);
  await tokens.giveUp(credential);
  expect(await granted.rowOf(connection)).toMatchObject({ status: 'NEEDS_REAUTH' });
  expect((await granted.grantOf(connection)).refresh_token).not.toBeNull();

  await recheckCredential(tokenDeps(), connection.workspaceId, connection.id);
  expect(await granted.rowOf(connection)).toMatchObject({ status: 'ACTIVE', broken_since: null });
  const events = await listEvents(database.db, connection.workspaceId, 'connection_status_changed');
  expect(events.map(({ payload }) => payload.status)).toEqual(['NEEDS_REAUTH', 'ACTIVE']);
});

test('upkeep finds a connection whose grant may live', async () => {
  const connection = await granted.connect();
  const tokens = createTokens(tokenDeps());
  await tokens.giveUp(await tokens.credentialOf(connection.workspaceId, connection.id));
  await acrossWorkspaces(database.db, (tx) =>
    setConnection(tx, connection.id, { upkeep_at: now() }),
  );
  await eventually(async () =>
    expect(await granted.rowOf(connection)).toMatchObject({ status: 'ACTIVE' }),
  );
});

test('a new token whose commit fails is stored all the same', async () => {
  const connection = await granted.connect();
  const before = await granted.grantOf(connection);
  skewMs = 0.81 * HOUR_MS;
  const letGo = await holdTokens();
  const asked = replicas[0]?.clientFor(connection.workspaceId, connection.id, use);
  await eventually(async () => {
    const { rows } = await sql`select pg_terminate_backend(pid) from pg_locks
      where locktype = 'advisory' and granted and pid in
        (select pid from pg_stat_activity where state = 'idle in transaction'
          and datname = current_database())`.execute(pools[1] ?? database.db);
    expect(rows.length).toBeGreaterThan(0);
  });
  await letGo();
  expect((await (await asked)?.getMe())?.outcome).toBe('ok');
  expect(await granted.versionOf(connection)).toBe(before.token_version + 1);
});

test('after a renewal that failed the token is used without asking again for a while', async () => {
  const connection = await granted.connect();
  skewMs = 0.9 * HOUR_MS;
  const fault = { kind: 'cut-before', match: { path: '/oauth/token' } };
  await installation.control('POST', '/faults', fault);
  const call = async () => {
    const client = await replicas[0]?.clientFor(connection.workspaceId, connection.id, use);
    return (await client?.getMe())?.outcome;
  };
  expect(await call()).toBe('ok');
  const { refresh_at: refreshAt } = await granted.grantOf(connection);
  expect(refreshAt > now()).toBe(true);
  expect(await call()).toBe('ok');
  expect((await granted.grantOf(connection)).refresh_at).toEqual(refreshAt);
});

test('a grant nobody uses is given back, however often that takes, and one in use is left alone', async () => {
  const connection = await granted.connect();
  const used = await granted.grantOf(connection);
  const { id } = used;
  const unused = { ...used, id: randomUUID(), company_id: 'elsewhere', release_at: null };
  const tokens = { access_token: 'sealed', refresh_token: null };
  await acrossWorkspaces(database.db, (tx) =>
    insertGrant(tx, { ...unused, ...tokens, renewed_at: new Date(0) }),
  );
  await tendGrants(tokenDeps());
  const left = await acrossWorkspaces(database.db, (tx) => listGrants(tx, [unused.id, id]));
  expect(left.map((grant) => grant.id)).toEqual([id]);
});

test('a grant Pipedrive does not take back now is kept until it does', async () => {
  const connection = await granted.connect();
  const { id } = await granted.grantOf(connection);
  await acrossWorkspaces(database.db, (tx) =>
    tx.deleteFrom('connection').where('grant_id', '=', id).execute(),
  );
  const match = { path: '/oauth/revoke' };
  await installation.control('POST', '/faults', { kind: 'cut-before', match });
  await releaseGrant(tokenDeps(), id);
  const find = () => acrossWorkspaces(database.db, (tx) => listGrants(tx, [id]));
  expect((await find())[0]?.release_at).not.toBeNull();
  await installation.control('DELETE', '/faults');
  skewMs = 6 * 60_000;
  await tendGrants(tokenDeps());
  expect(await find()).toEqual([]);
});

test('a notice of removal from before its user connected again stops nothing', async () => {
  const connection = await granted.connect();
  const holder = await granted.grantOf(connection);
  const notice = {
    client_id: holder.client_id,
    company_id: holder.company_id,
    user_id: holder.pipedrive_user_id,
  };
  const tell = async (timestamp: string | number) => {
    await fetch(installation.redirectUrl, {
      method: 'DELETE',
      headers: { authorization: basicAuthorization('test-app', 'canary-client-secret') },
      body: JSON.stringify({ ...notice, timestamp }),
    });
    return (await granted.rowOf(connection))?.status;
  };
  const at = holder.renewed_at.getTime();
  expect(await tell(new Date(at - 60_000).toISOString())).toBe('ACTIVE');
  expect(await tell(Math.floor(at / 1000) - 60)).toBe('ACTIVE');
  expect(await tell(new Date(at + 60_000).toISOString())).toBe('NEEDS_REAUTH');
});
