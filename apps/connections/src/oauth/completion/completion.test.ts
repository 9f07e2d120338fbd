import { newId, withWorkspace } from '@manifold/database';
import { UserId, type WorkspaceId } from '@manifold/contracts';
import {
  captureLog,
  createTestDatabase,
  eventually,
  startTestNats,
  startTestPipedrive,
} from '@manifold/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  type Caller,
  codeOn,
  type Installation,
  newWorkspace,
  startInstallation,
  visit,
} from '../../../test/installation.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import { MOST_ATTEMPTS } from './rules.ts';

const BEGIN = `mutation ($input: BeginConnectionInput!) {
  beginConnection(input: $input) { authorizationUrl } }`;
/** Upkeep has other connections to look after when a clock jumps. */
const PATIENTLY = { timeoutMs: 25_000 };
const LIST = '{ connections { nodes { id kind status } } }';

const database = await createTestDatabase<Tables>(migrations);
const nats = await startTestNats();
let skewMs = 0;
const now = () => new Date(Date.now() + skewMs);
const sandbox = await startTestPipedrive({ now });
const { log, lines } = captureLog();
let installation: Installation;
let pipedriveUser: number;

beforeAll(async () => {
  const ground = { urls: database.urls, natsUrl: nats.url, sandbox, log, now };
  installation = await startInstallation(ground);
  pipedriveUser = (await installation.control('GET', '/state')).users[0].id;
});
beforeEach(async () => {
  skewMs = 0;
  await installation.control('DELETE', '/faults');
});
afterAll(async () => {
  await installation.stop();
  await sandbox.stop();
  await nats.stop();
  await database.drop();
});

async function begin(caller: Caller, kind = 'ORGANIZATION') {
  const begun = await installation.graph(BEGIN, { input: { kind } }, caller);
  return begun.data.beginConnection;
}

/** Begins, and consents in whatever browser; the code it ends with. */
async function consented(caller: Caller, kind = 'ORGANIZATION'): Promise<string> {
  const { authorizationUrl } = await begin(caller, kind);
  const page = await visit(await installation.consent(authorizationUrl, { userId: pipedriveUser }));
  return codeOn(page.text) ?? '';
}

const list = async (workspaceId: WorkspaceId) =>
  (await installation.graph(LIST, {}, { workspaceId })).data.connections.nodes;

test('the consent of somebody sent to another person’s link connects nothing, there or here', async () => {
  const stranger = { workspaceId: newWorkspace(), userId: newId('us', UserId) };
  const victim = { workspaceId: newWorkspace(), userId: newId('us', UserId) };
  const code = await consented(stranger);
  expect(await list(stranger.workspaceId)).toEqual([]);
  const answer = await installation.complete(code, victim);
  expect(answer.errors[0].extensions.reason).toBe('completion_code_unknown');
  expect([await list(stranger.workspaceId), await list(victim.workspaceId)]).toEqual([[], []]);
});

test('a code of another user, of another workspace, and one made up are answered alike (WX-20)', async () => {
  const owner = { workspaceId: newWorkspace(), userId: newId('us', UserId) };
  const code = await consented(owner);
  const refusals = await Promise.all([
    installation.complete(code, { ...owner, userId: newId('us', UserId) }),
    installation.complete(code, { ...owner, workspaceId: newWorkspace() }),
    installation.complete('x'.repeat(32), owner),
  ]);
  const [first, ...others] = refusals.map(({ errors }) => [
    errors[0].message,
    errors[0].extensions,
  ]);
  expect(first?.[1]).toEqual({
    code: 'BAD_USER_INPUT',
    reason: 'completion_code_unknown',
    field: 'input.code',
    fix: expect.stringContaining('beginConnection'),
  });
  for (const other of others) expect(other).toEqual(first);
  // none of that used it up
  const made = await installation.complete(code, owner);
  expect(made.data.completeConnection.connection).toMatchObject({ status: 'ACTIVE' });
});

test('a code works once; with a key a repeat gets the first answer', async () => {
  const caller = { workspaceId: newWorkspace() };
  const code = await consented(caller);
  const key = { idempotencyKey: 'k' };
  const answers = [];
  for (const more of [key, key, {}, { idempotencyKey: 'other' }]) {
    const { data, errors } = await installation.complete(code, caller, more);
    answers.push(errors?.[0].extensions.reason ?? data.completeConnection.connection.id);
  }
  const [{ id }] = await list(caller.workspaceId);
  expect(answers).toEqual([id, id, 'completion_code_used', 'completion_code_used']);
  const another = await installation.complete('y'.repeat(32), caller, key);
  expect(another.errors[0].extensions.reason).toBe('duplicate_idempotency_key');
});

test('of two who complete at once one connects', async () => {
  const caller = { workspaceId: newWorkspace() };
  const code = await consented(caller);
  const answers = await Promise.all([1, 2].map(() => installation.complete(code, caller)));
  expect(answers.filter(({ errors }) => errors === undefined)).toHaveLength(1);
  expect(await list(caller.workspaceId)).toHaveLength(1);
});

test('a code that is too old says so, to its owner alone', async () => {
  const caller = { workspaceId: newWorkspace() };
  const code = await consented(caller);
  skewMs = 5 * 60_000;
  const reasonFor = async (who: Caller) =>
    (await installation.complete(code, who)).errors[0].extensions.reason;
  expect(await reasonFor(caller)).toBe('completion_code_expired');
  const other = { ...caller, userId: newId('us', UserId) };
  expect(await reasonFor(other)).toBe('completion_code_unknown');
});

test('who lost the role meanwhile does not connect the workspace', async () => {
  const caller = { workspaceId: newWorkspace() };
  const code = await consented(caller);
  const reasonAs = async (role: 'MEMBER' | 'VIEWER') =>
    (await installation.complete(code, { ...caller, role })).errors[0].extensions.reason;
  expect([await reasonAs('MEMBER'), await reasonAs('VIEWER')]).toEqual([
    'role_too_low',
    'role_too_low',
  ]);
  expect(await list(caller.workspaceId)).toEqual([]);
});

test('a code Pipedrive does not accept is refused with the way out, and is used up', async () => {
  const caller = { workspaceId: newWorkspace() };
  const { authorizationUrl } = await begin(caller);
  const who = { userId: pipedriveUser };
  const callback = new URL(await installation.consent(authorizationUrl, who));
  callback.searchParams.set('code', 'no-such-code');
  const code = codeOn((await visit(callback.href)).text);
  const reasonOf = async () =>
    (await installation.complete(code, caller)).errors[0].extensions.reason;
  expect(await reasonOf()).toBe('oauth_code_invalid');
  expect(await reasonOf()).toBe('completion_code_used');
});

test.each(['/oauth/token', '/api/v1/users/me'])(
  'while Pipedrive cannot be reached at %s nothing is connected, and the same code does it later',
  async (path) => {
    const caller = { workspaceId: newWorkspace() };
    const code = await consented(caller);
    await installation.control('POST', '/faults', { kind: 'cut-before', match: { path } });
    const refused = await installation.complete(code, caller);
    expect(refused.errors[0].extensions).toMatchObject({ reason: 'pipedrive_unreachable' });
    expect(await list(caller.workspaceId)).toEqual([]);
    await installation.control('DELETE', '/faults');
    const made = await installation.complete(code, caller);
    expect(made.data.completeConnection.connection).toMatchObject({ status: 'ACTIVE' });
  },
);

/** As if the database had gone for a moment: what tries to change the table fails meanwhile. */
async function failing<Result>(table: string, work: () => Promise<Result>): Promise<Result> {
  await sql`create or replace function gone() returns trigger language plpgsql as
    $$ begin raise exception 'gone'; end $$`.execute(database.ownerDb);
  const name = sql.ref(table);
  await sql`create trigger gone before insert or update on ${name} execute function gone()`.execute(
    database.ownerDb,
  );
  try {
    return await work();
  } finally {
    await sql`drop trigger gone on ${name}`.execute(database.ownerDb);
  }
}

test('a grant that was traded and could not be stored with its connection is not lost: upkeep makes the connection', async () => {
  const caller = { workspaceId: newWorkspace() };
  const code = await consented(caller);
  const failed = await failing('consent', () => installation.complete(code, caller));
  expect(failed.errors[0].extensions.code).toBe('INTERNAL_SERVER_ERROR');
  expect(await list(caller.workspaceId)).toEqual([]);
  const { sealed_code, sealed_grant } = await stateOf(caller.workspaceId);
  expect([sealed_code, sealed_grant]).toEqual([null, expect.stringMatching(/^v1\./)]);

  skewMs = 20 * 60_000;
  await eventually(
    async () => expect(await list(caller.workspaceId)).toMatchObject([{ status: 'ACTIVE' }]),
    PATIENTLY,
  );
  expect(await stateOf(caller.workspaceId)).toMatchObject({
    sealed_grant: null,
    connection_id: expect.any(String),
  });
}, 40_000);

test('a grant that cannot be stored at first is stored when the database is there again', async () => {
  const caller = { workspaceId: newWorkspace() };
  const code = await consented(caller);
  const slow = { kind: 'latency', ms: 400, match: { path: '/oauth/token' } };
  await installation.control('POST', '/faults', slow);
  const completing = installation.complete(code, caller);
  await eventually(async () =>
    expect((await stateOf(caller.workspaceId)).claimed_until).not.toBeNull(),
  );
  await failing('oauth_state', async () => {
    await eventually(() => expect(lines.join()).toContain('storing it again'));
  });
  expect((await completing).data.completeConnection.connection.status).toBe('ACTIVE');
});

test('a grant that can never be kept is tried a few times more and given up', async () => {
  const caller = { workspaceId: newWorkspace() };
  const code = await consented(caller);
  const match = { path: '/api/v1/users/me' };
  await installation.control('POST', '/faults', { kind: 'cut-before', match, times: 1_000 });
  await installation.complete(code, caller);
  for (let tried = 1; tried < MOST_ATTEMPTS; tried += 1) {
    skewMs += 30 * 60_000;
    const tries = async () => expect((await stateOf(caller.workspaceId)).attempts).toBe(tried + 1);
    await eventually(tries, PATIENTLY);
  }
  const givenUp = { sealed_grant: null, finished_at: expect.any(Date), connection_id: null };
  await eventually(
    async () => expect(await stateOf(caller.workspaceId)).toMatchObject(givenUp),
    PATIENTLY,
  );
}, 120_000);

const stateOf = (workspaceId: WorkspaceId) =>
  withWorkspace(database.db, workspaceId, (tx) =>
    tx.selectFrom('oauth_state').selectAll().executeTakeFirstOrThrow(),
  );
