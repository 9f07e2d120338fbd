import { ConnectionId } from '@manifold/contracts';
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
/** As the gateway asks for what another service points at. */
const POINTED = `query ($r: [_Any!]!, $fields: [String!]) { _entities(representations: $r) {
  ... on PipedriveRecord { object pipedriveId pipedriveUrl values(fields: $fields) { code text } } } }`;

const database = await createTestDatabase<Tables>(migrations);
const nats = await startTestNats();
const sandbox = await startTestPipedrive();
const caller: Caller = { workspaceId: newWorkspace() };
let installation: Installation;
let connectionId: ConnectionId;

beforeAll(async () => {
  const log = pino({ level: 'silent' });
  installation = await startInstallation({ urls: database.urls, natsUrl: nats.url, sandbox, log });
  await installation.control('POST', '/generate', { seed: 5, persons: 120, organizations: 3 });
  const input = { apiToken: sandbox.apiToken, kind: 'ORGANIZATION' };
  const { data } = await installation.graph(CONNECT, { input }, caller);
  connectionId = ConnectionId.parse(data.connectWithApiToken.connection.id);
});
beforeEach(() => installation.control('DELETE', '/faults'));
afterAll(async () => {
  await installation.stop();
  await sandbox.stop();
  await nats.stop();
  await database.drop();
});

const point = (ids: readonly (number | string)[], more: object = {}) =>
  ids.map((id) => ({
    ...{ __typename: 'PipedriveRecord', connectionId, object: 'PERSON', pipedriveId: String(id) },
    ...more,
  }));
const look = (r: object[], as: Partial<Caller> = {}) =>
  installation.graph(POINTED, { r, fields: ['name'] }, { ...caller, ...as });
const spent = async (work: () => Promise<unknown>): Promise<number> => {
  const tokens = async () => (await installation.control('GET', '/ledger')).tokens;
  const before = await tokens();
  await work();
  return (await tokens()) - before;
};
const A_LIST = 10;
const idsOf = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

test('a record something points at is shown as it is now', async () => {
  const { data } = await look([...point([1]), ...point([2], { object: 'ORGANIZATION' })]);
  expect(data._entities).toEqual([
    {
      ...{ object: 'PERSON', pipedriveId: '1', pipedriveUrl: `${sandbox.url}/person/1` },
      values: [{ code: 'name', text: expect.stringMatching(/./) }],
    },
    {
      ...{ object: 'ORGANIZATION', pipedriveId: '2' },
      pipedriveUrl: `${sandbox.url}/organization/2`,
      values: [{ code: 'name', text: expect.stringMatching(/./) }],
    },
  ]);
  expect(await dumpTables(database.db)).not.toContain(data._entities[0].values[0].text);
});

test('a hundred of one kind are one list, however many point at one', async () => {
  const ids = idsOf(100);
  expect(await spent(() => look(point([...ids, ...ids])))).toBe(A_LIST);
  expect(await spent(() => look(point(idsOf(120))))).toBe(2 * A_LIST);
});

test('one that is not there is null, and the others are shown', async () => {
  const { data, errors } = await look(point([1, 99_999_999]));
  expect(data._entities).toMatchObject([{ pipedriveId: '1' }, null]);
  expect(errors).toBeUndefined();
});

test('without budget it is null, and said why', async () => {
  await installation.control('POST', '/faults', {
    kind: '429',
    match: { path: '/api/v2/persons/1' },
  });
  const { data, errors } = await look(point([1]));
  expect(data._entities).toEqual([null]);
  expect(errors[0].extensions).toMatchObject({ code: 'RATE_LIMITED' });
});

test('a viewer, and another workspace, see nothing', async () => {
  const viewer = await look(point([1]), { role: 'VIEWER' });
  expect(viewer.data._entities).toEqual([null]);
  expect(viewer.errors[0].extensions.reason).toBe('role_too_low');
  const foreign = await look(point([1]), { workspaceId: newWorkspace() });
  const absent = await look(point([1], { connectionId: `cn_${'0'.repeat(32)}` }));
  expect(foreign.data._entities).toEqual([null]);
  expect(foreign.errors[0].extensions).toMatchObject({ reason: 'record_not_found' });
  expect(absent.errors[0].extensions.reason).toBe('record_not_found');
});

test('a query that names no fields at first shows those named below', async () => {
  const text = `query ($id: ID!) { pipedriveRecord(connectionId: $id, object: PERSON, id: "1", fields: []) {
    connectionId values { code } named: values(fields: ["name"]) { code text } } }`;
  const { data } = await installation.graph(text, { id: connectionId }, caller);
  expect(data.pipedriveRecord).toEqual({
    ...{ connectionId, values: [] },
    named: [{ code: 'name', text: expect.stringMatching(/./) }],
  });
});

test('more than one answer can show are refused one by one', async () => {
  const { data, errors } = await look(point(idsOf(22), { object: 'LEAD' }));
  expect(data._entities).toHaveLength(22);
  const reasons = errors.map(({ extensions }: { extensions: object }) => extensions);
  expect(reasons).toContainEqual(expect.objectContaining({ reason: 'too_many_items' }));
});
