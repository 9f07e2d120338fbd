import { ConnectionId, UserId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { createTestDatabase, startTestNats, startTestPipedrive } from '@manifold/testing';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  type Caller,
  type Installation,
  newWorkspace,
  startInstallation,
} from '../../../test/installation.ts';
import { dumpTables } from '../../../test/looking.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';

const CONNECT = `mutation ($input: ConnectWithApiTokenInput!) {
  connectWithApiToken(input: $input) { connection { id } } }`;
const SHAPE = `object pipedriveId pipedriveUrl addedAt updatedAt deleted
  values { code name type text number entries { value primary } pipedriveId }`;
const ONE = `query ($connectionId: ID!, $object: PipedriveObject!, $id: ID!, $fields: [String!]!) {
  pipedriveRecord(connectionId: $connectionId, object: $object, id: $id, fields: $fields) { ${SHAPE} } }`;
const MANY = `query ($connectionId: ID!, $object: PipedriveObject!, $ids: [ID!]!, $fields: [String!]!) {
  pipedriveRecords(connectionId: $connectionId, object: $object, ids: $ids, fields: $fields) {
    missing records { ${SHAPE} } } }`;

const database = await createTestDatabase<Tables>(migrations);
const nats = await startTestNats();
const sandbox = await startTestPipedrive();
const lines: string[] = [];
const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
const caller: Caller = { workspaceId: newWorkspace() };
let installation: Installation;
let connectionId: ConnectionId;
let person: { id: number };

const change = (path: string, body: object, method: 'POST' | 'PATCH' | 'DELETE') =>
  fetch(`${sandbox.url}/api${path}`, {
    method,
    headers: { 'x-api-token': sandbox.apiToken, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }).then(async (response) => JSON.parse(await response.text()).data);

beforeAll(async () => {
  const ground = { urls: database.urls, natsUrl: nats.url, sandbox, log };
  installation = await startInstallation(ground);
  await installation.control('POST', '/generate', { seed: 5, persons: 15, organizations: 3 });
  const input = { apiToken: sandbox.apiToken, kind: 'ORGANIZATION' };
  const { data } = await installation.graph(CONNECT, { input }, caller);
  connectionId = ConnectionId.parse(data.connectWithApiToken.connection.id);
});
beforeEach(async () => {
  await installation.control('DELETE', '/faults');
  const emails = [{ value: 'canary.person@example.test', label: 'work', primary: true }];
  person = await change('/v2/persons', { name: 'Canary Live', emails }, 'POST');
});
afterAll(async () => {
  await installation.stop();
  await sandbox.stop();
  await nats.stop();
  await database.drop();
});

const one = (variables: object, as: Partial<Caller> = {}) =>
  installation.graph(
    ONE,
    {
      connectionId,
      object: 'PERSON',
      id: String(person.id),
      fields: ['name', 'emails'],
      ...variables,
    },
    { ...caller, ...as },
  );
const many = (variables: object) =>
  installation.graph(
    MANY,
    { connectionId, object: 'PERSON', fields: ['name'], ...variables },
    caller,
  );
const spent = async (work: () => Promise<unknown>): Promise<number> => {
  const tokens = async () => (await installation.control('GET', '/ledger')).tokens;
  const before = await tokens();
  await work();
  return (await tokens()) - before;
};

test('a record is shown as Pipedrive has it at that moment (SL-85)', async () => {
  const { data } = await one({});
  expect(data.pipedriveRecord).toMatchObject({
    object: 'PERSON',
    pipedriveId: String(person.id),
    pipedriveUrl: `${sandbox.url}/person/${person.id}`,
    deleted: false,
    values: [
      { code: 'name', name: 'Name', text: 'Canary Live' },
      { code: 'emails', entries: [{ value: 'canary.person@example.test', primary: true }] },
    ],
  });
  await change(`/v2/persons/${person.id}`, { name: 'Canary Renamed' }, 'PATCH');
  const again = await one({ fields: ['name'] });
  expect(again.data.pipedriveRecord.values).toMatchObject([{ text: 'Canary Renamed' }]);
});

test('what cannot be an id is nobody’s, and nothing is asked of Pipedrive', async () => {
  const answers: unknown[] = [];
  const tokens = await spent(async () => {
    const { errors } = await one({ id: 'abc' });
    answers.push(errors[0].extensions.reason, (await many({ ids: ['abc', '0'] })).data);
  });
  expect(tokens).toBe(0);
  expect(answers).toEqual([
    'record_not_found',
    { pipedriveRecords: { records: [], missing: ['abc', '0'] } },
  ]);
});

test('what was shown is in no table and no log line (SL-85, SL-94)', async () => {
  await many({ ids: [String(person.id)], fields: ['name', 'emails'] });
  await installation.control('POST', '/faults', {
    ...{ kind: '500', match: { path: `/api/v2/persons/${person.id}` }, times: 1 },
  });
  await one({});
  expect(await dumpTables(database.db)).not.toMatch(/canary/i);
  expect(lines.join('')).not.toMatch(/canary\.person|Canary Live/);
});

test('a look is priced in the ledger as what a person waits for', async () => {
  expect(await spent(() => one({}))).toBe(1);
  const calls = await withWorkspace(database.db, caller.workspaceId, (tx) =>
    tx.selectFrom('api_call').select(['tokens', 'lane', 'feature']).orderBy('id').execute(),
  );
  expect(calls.at(-1)).toEqual({ tokens: 1, lane: 'interactive', feature: 'live' });
});

test('several cost a token each, and never more than a list', async () => {
  const ids = Array.from({ length: 12 }, (_, n) => String(n + 1));
  expect(await spent(() => many({ ids: ids.slice(0, 3) }))).toBe(3);
  expect(await spent(() => many({ ids }))).toBe(10);
  const { data } = await many({ ids: ['3', '99999999', '1', '3'] });
  expect(data.pipedriveRecords.missing).toEqual(['99999999']);
  expect(
    data.pipedriveRecords.records.map(({ pipedriveId }: { pipedriveId: string }) => pipedriveId),
  ).toEqual(['3', '1']);
});

test.each([
  [{ id: '99999999' }, 'NOT_FOUND', 'record_not_found'],
  [{ object: 'USER' }, 'BAD_USER_INPUT', 'invalid_input'],
  [{ id: '../users' }, 'BAD_USER_INPUT', 'invalid_input'],
  [{ fields: ['not a code'] }, 'BAD_USER_INPUT', 'invalid_input'],
  [{ fields: ['name', 'nmae'] }, 'BAD_USER_INPUT', 'unknown_field'],
])('what cannot be shown is refused with a reason: %j', async (variables, code, reason) => {
  const { errors } = await one(variables);
  expect(errors[0].extensions).toMatchObject({ code, reason });
});

test('a viewer, another workspace, and a stranger with somebody’s own connection see nothing', async () => {
  const viewer = await one({}, { role: 'VIEWER' });
  expect(viewer.errors[0].extensions.reason).toBe('role_too_low');
  const foreign = await one({}, { workspaceId: newWorkspace() });
  expect(foreign.errors[0].extensions.reason).toBe('record_not_found');
  const workspaceId = newWorkspace();
  const input = { apiToken: sandbox.apiToken, kind: 'PERSONAL' };
  const { data } = await installation.graph(CONNECT, { input }, { workspaceId });
  const { id } = data.connectWithApiToken.connection;
  const mine = await one({ connectionId: id }, { workspaceId });
  expect(mine.data.pipedriveRecord.values[0].text).toBe('Canary Live');
  await withWorkspace(database.db, workspaceId, (tx) =>
    tx
      .updateTable('connection')
      .set({ user_id: UserId.parse(`us_${'0'.repeat(32)}`) })
      .where('id', '=', id)
      .execute(),
  );
  const theirs = await one({ connectionId: id }, { workspaceId });
  expect(theirs.errors[0].extensions.reason).toBe('connection_of_another_user');
});

test('a Pipedrive out of reach, and a budget that is spent, are told apart', async () => {
  const match = { path: `/api/v2/persons/${person.id}` };
  await installation.control('POST', '/faults', { kind: '500', match });
  const { errors } = await one({});
  expect(errors[0].extensions).toMatchObject({ reason: 'pipedrive_unreachable' });
  await installation.control('DELETE', '/faults');
  await installation.control('POST', '/faults', { kind: '429', match });
  const limited = await one({});
  expect(limited.errors[0].extensions).toMatchObject({
    code: 'RATE_LIMITED',
    fix: expect.stringContaining('Try again in'),
  });
});
