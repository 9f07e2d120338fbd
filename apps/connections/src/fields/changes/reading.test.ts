import { ConnectionId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import {
  createTestDatabase,
  eventually,
  silentLog,
  startTestNats,
  startTestPipedrive,
} from '@manifold/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  type Caller,
  type Installation,
  newWorkspace,
  startInstallation,
} from '../../../test/installation.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';

const CONNECT = `mutation ($input: ConnectWithApiTokenInput!) {
  connectWithApiToken(input: $input) { connection { id } } }`;
const REFRESH = `mutation ($input: RefreshFieldsInput!) { refreshFields(input: $input) {
  changes { changed differences { kind fieldCode optionId before after } } } }`;
const CHANGES = `query ($id: ID!) { fieldChanges(connectionId: $id) {
  nodes { object kind fieldCode before after } } }`;
const FIELDS = `query ($id: ID!) { pipedriveFields(connectionId: $id, object: PERSON, first: 500) {
  readAt nodes { code } } }`;

const database = await createTestDatabase<Tables>(migrations);
const nats = await startTestNats();
const sandbox = await startTestPipedrive();
let skewMs = 0;
let installation: Installation;
let caller: Caller;
let connectionId: ConnectionId;

beforeAll(async () => {
  const now = () => new Date(Date.now() + skewMs);
  const ground = { urls: database.urls, natsUrl: nats.url, sandbox, log: silentLog, now };
  installation = await startInstallation(ground);
});
beforeEach(async () => {
  caller = { workspaceId: newWorkspace() };
  const input = { apiToken: sandbox.apiToken, kind: 'ORGANIZATION' };
  const { data } = await installation.graph(CONNECT, { input }, caller);
  connectionId = ConnectionId.parse(data.connectWithApiToken.connection.id);
});
afterAll(async () => {
  await installation.stop();
  await sandbox.stop();
  await nats.stop();
  await database.drop();
});

/** Somebody in Pipedrive's own settings. */
const edit = (path: string, body: object, method: 'POST' | 'PATCH' | 'DELETE') =>
  fetch(`${sandbox.url}/api/v2/personFields${path}`, {
    method,
    headers: { 'x-api-token': sandbox.apiToken, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }).then(async (response) => JSON.parse(await response.text()).data);

async function refresh() {
  const input = { connectionId, objects: ['PERSON'] };
  const { data } = await installation.graph(REFRESH, { input }, caller);
  return data.refreshFields.changes[0];
}
const changes = async () =>
  (await installation.graph(CHANGES, { id: connectionId }, caller)).data.fieldChanges.nodes;

test('a choice that somebody took away is told with its id and what it was called', async () => {
  const options = [{ label: 'Dog' }, { label: 'Cat' }];
  const made = await edit('', { field_name: 'Pet', field_type: 'enum', options }, 'POST');
  await refresh();
  const [dog] = made.options;
  await edit(`/${made.field_code}/options`, [{ id: dog.id }], 'DELETE');
  const gone = { kind: 'OPTION_REMOVED', fieldCode: made.field_code, before: 'Dog', after: null };
  expect(await refresh()).toEqual({
    changed: [made.field_code],
    differences: [{ ...gone, optionId: String(dog.id) }],
  });
  expect((await changes())[0]).toEqual({ object: 'PERSON', ...gone });
});

test('a field that is of another type than at the reading before is told with both', async () => {
  const made = await edit('', { field_name: 'Size', field_type: 'varchar' }, 'POST');
  await refresh();
  // Pipedrive offers no way to change a type by its API: the reading before had another one
  await withWorkspace(database.db, caller.workspaceId, (tx) =>
    sql`update field_catalogue set definitions = (
        select jsonb_agg(case when field ->> 'code' = ${made.field_code}
          then field || '{"type": "double"}' else field end)::text
        from jsonb_array_elements(definitions::jsonb) as field)
      where object = 'person'`.execute(tx),
  );
  const retyped = { kind: 'RETYPED', fieldCode: made.field_code, before: 'double' };
  expect(await refresh()).toEqual({
    changed: [made.field_code],
    differences: [{ ...retyped, after: 'varchar', optionId: null }],
  });
  expect((await changes())[0]).toMatchObject({ ...retyped, after: 'varchar' });
});

test('the catalogue is read again by itself when a day is over', async () => {
  const made = await edit('', { field_name: 'Later', field_type: 'varchar' }, 'POST');
  const listed = async () => {
    const { data } = await installation.graph(FIELDS, { id: connectionId }, caller);
    const codes = data.pipedriveFields.nodes.map(({ code }: { code: string }) => code);
    return { isListed: codes.includes(made.field_code), readAt: data.pipedriveFields.readAt };
  };
  const first = await listed();
  expect(first.isListed).toBe(false);
  const reads = async () => {
    const requests: { operationId: string }[] = await installation.control(
      'GET',
      '/requests?limit=5000',
    );
    return requests.filter(({ operationId }) => operationId === 'getPersonFields').length;
  };
  const before = await reads();
  skewMs = 25 * 3_600_000;
  await eventually(async () => expect((await listed()).isListed).toBe(true), {
    timeoutMs: 20_000,
  });
  expect(await reads()).toBeGreaterThan(before);
  expect(new Date((await listed()).readAt).getTime()).toBeGreaterThan(Date.now() + 24 * 3_600_000);
  expect((await changes())[0]).toMatchObject({ kind: 'ADDED', fieldCode: made.field_code });
}, 40_000);
