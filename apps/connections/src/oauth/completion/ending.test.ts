import { acrossWorkspaces, withWorkspace } from '@manifold/database';
import type { WorkspaceId } from '@manifold/contracts';
import {
  captureLog,
  createTestDatabase,
  eventually,
  startTestNats,
  startTestPipedrive,
} from '@manifold/testing';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { codeOn, newWorkspace, startInstallation, visit } from '../../../test/installation.ts';
import { grantRow } from '../../../test/rows.ts';
import { insertGrant } from '../../accounts/grants/store.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import { setAttempt, setCompletion } from './store.ts';

const BEGIN = `mutation { beginConnection(input: { kind: ORGANIZATION }) { authorizationUrl } }`;
const ME = { path: '/api/v1/users/me' };

const database = await createTestDatabase<Tables>(migrations);
const nats = await startTestNats();
let skewMs = 0;
const now = () => new Date(Date.now() + skewMs);
const sandbox = await startTestPipedrive({ now });
const ground = { urls: database.urls, natsUrl: nats.url, sandbox, log: captureLog().log, now };
/** Where the sandbox is no Pipedrive: whatever is traded there is refused in the end. */
const elsewhere = { ...ground, env: { PIPEDRIVE_API_DOMAINS: ['https://other.example'] } };
let installation: Awaited<ReturnType<typeof startInstallation>>;

beforeEach(() => {
  skewMs = 0;
});
afterEach(async () => {
  await installation.control('DELETE', '/faults');
  await installation.stop();
});
afterAll(async () => {
  await sandbox.stop();
  await nats.stop();
  await database.drop();
});

async function consented(workspaceId: WorkspaceId): Promise<string> {
  const { users } = await installation.control('GET', '/state');
  const begun = await installation.graph(BEGIN, {}, { workspaceId });
  const { authorizationUrl } = begun.data.beginConnection;
  const way = await installation.consent(authorizationUrl, { userId: users[0].id });
  return codeOn((await visit(way)).text) ?? '';
}

const stateOf = (workspaceId: WorkspaceId) =>
  withWorkspace(database.db, workspaceId, (tx) =>
    tx.selectFrom('oauth_state').selectAll().executeTakeFirstOrThrow(),
  );
const grantsThere = async () => (await installation.control('GET', '/state')).grants;

// first: no grant of another test is there yet
test('what was traded and is refused in the end is given back to Pipedrive', async () => {
  installation = await startInstallation(elsewhere);
  const caller = { workspaceId: newWorkspace() };
  const code = await consented(caller.workspaceId);
  const revoking = { kind: '500', match: { path: '/oauth/revoke' } };
  await installation.control('POST', '/faults', revoking);
  const first = await installation.complete(code, caller);
  expect(first.errors[0].extensions.reason).toBe('pipedrive_refused');
  // it could not be given back, so it is kept for that
  expect(await grantsThere()).toHaveLength(1);
  expect((await stateOf(caller.workspaceId)).sealed_grant).not.toBeNull();

  await installation.control('DELETE', '/faults');
  await installation.complete(code, caller);
  expect(await grantsThere()).toEqual([]);
  expect(await stateOf(caller.workspaceId)).toMatchObject({
    sealed_grant: null,
    finished_at: expect.any(Date),
  });
});

test('where the company has another grant of the app, it may be the same user’s, and stays', async () => {
  installation = await startInstallation(elsewhere);
  const other = grantRow({ api_domain: sandbox.url, company_id: '77', renewed_at: now() });
  await acrossWorkspaces(database.db, (tx) => insertGrant(tx, other));
  const caller = { workspaceId: newWorkspace() };
  const { errors } = await installation.complete(await consented(caller.workspaceId), caller);
  expect(errors[0].extensions.reason).toBe('pipedrive_refused');
  expect((await stateOf(caller.workspaceId)).sealed_grant).toBeNull();
  expect(await grantsThere()).toHaveLength(1);
});

test('a limit met after the code was traded keeps what it was traded for, and says when', async () => {
  installation = await startInstallation(ground);
  const caller = { workspaceId: newWorkspace() };
  const code = await consented(caller.workspaceId);
  await installation.control('POST', '/faults', { kind: '429', match: ME, times: 100 });
  const { errors } = await installation.complete(code, caller);
  expect(errors[0].extensions).toMatchObject({ code: 'RATE_LIMITED', fix: /Try again in \d+ s/ });
  expect(await stateOf(caller.workspaceId)).toMatchObject({
    sealed_grant: expect.any(String),
    finished_at: null,
  });

  await installation.control('DELETE', '/faults');
  const made = await installation.complete(code, caller);
  expect(made.data.completeConnection.connection).toMatchObject({ status: 'ACTIVE' });
});

test('a limit that lasts makes upkeep wait, never give up', async () => {
  installation = await startInstallation(ground);
  const { workspaceId } = { workspaceId: newWorkspace() };
  const code = await consented(workspaceId);
  await installation.control('POST', '/faults', { kind: '429', match: ME, times: 100 });
  await installation.complete(code, { workspaceId });
  const tried = await stateOf(workspaceId);
  await withWorkspace(database.db, workspaceId, (tx) => setCompletion(tx, tried, { attempts: 50 }));
  skewMs = 30 * 60_000;
  await eventually(async () => expect((await stateOf(workspaceId)).attempts).toBe(51), {
    timeoutMs: 25_000,
  });
  await installation.control('DELETE', '/faults');
  skewMs = 24 * 3_600_000;
  await eventually(
    async () => expect((await stateOf(workspaceId)).connection_id).toEqual(expect.any(String)),
    { timeoutMs: 25_000 },
  );
}, 60_000);

test('an attempt that was overtaken ends nothing, and one refused the code nothing that was traded', async () => {
  installation = await startInstallation(ground);
  const { workspaceId } = { workspaceId: newWorkspace() };
  await consented(workspaceId);
  const before = await stateOf(workspaceId);
  const scoped = (work: Parameters<typeof withWorkspace<Tables, void>>[2]) =>
    withWorkspace(database.db, workspaceId, work);
  await scoped((tx) => setCompletion(tx, before, { attempts: 2, sealed_grant: 'v1.kept' }));
  const ended = { sealed_grant: null, finished_at: now() };
  await scoped((tx) => setAttempt(tx, { ...before, attempts: 1 }, ended));
  await scoped((tx) => setAttempt(tx, { ...before, attempts: 2 }, ended, { unlessTraded: true }));
  expect(await stateOf(workspaceId)).toMatchObject({ sealed_grant: 'v1.kept', finished_at: null });
  await scoped((tx) => setAttempt(tx, { ...before, attempts: 2 }, ended));
  expect(await stateOf(workspaceId)).toMatchObject(ended);
});
