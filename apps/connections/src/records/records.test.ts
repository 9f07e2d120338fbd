import {
  ConnectionId,
  CountRecords,
  DescribeConnection,
  ListFields,
  ReadRecords,
  type WorkspaceId,
} from '@manifold/contracts';
import { newId, withWorkspace } from '@manifold/database';
import { ask, askForPage } from '@manifold/messaging';
import {
  createTestDatabase,
  eventually,
  silentLog,
  startTestNats,
  startTestPipedrive,
} from '@manifold/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { z } from 'zod';
import { type Installation, newWorkspace, startInstallation } from '../../test/installation.ts';
import { listEvents } from '../../test/looking.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';

const CONNECT = `mutation ($input: ConnectWithApiTokenInput!) {
  connectWithApiToken(input: $input) { connection { id company { id } } } }`;
const FIELDS = `query ($id: ID!, $filter: PipedriveFieldFilter, $first: Int, $after: String) {
  pipedriveFields(connectionId: $id, object: PERSON, filter: $filter, first: $first, after: $after) {
    totalCount revision pageInfo { endCursor hasNextPage } nodes { code name type custom readOnly options { id label } } } }`;
const REFRESH = `mutation ($input: RefreshFieldsInput!) { refreshFields(input: $input) {
  connection { id } changes { object revision added changed removed } } }`;
const LIST = '{ connections { nodes { id } } }';

const database = await createTestDatabase<Tables>(migrations);
const nats = await startTestNats();
const sandbox = await startTestPipedrive();
const workspaceId = newWorkspace();
let installation: Installation;
let connectionId: ConnectionId;

beforeAll(async () => {
  installation = await startInstallation({
    urls: database.urls,
    natsUrl: nats.url,
    sandbox,
    log: silentLog,
  });
  const size = { seed: 5, persons: 120, organizations: 10, leads: 5 };
  await installation.control('POST', '/generate', size);
  connectionId = await connect(workspaceId);
});
beforeEach(async () => {
  await installation.control('DELETE', '/faults');
  await installation.control('PUT', '/limits', { plan: 'off' });
});
afterAll(async () => {
  await installation.stop();
  await sandbox.stop();
  await nats.stop();
  await database.drop();
});

async function connect(of: WorkspaceId): Promise<ConnectionId> {
  const input = { apiToken: sandbox.apiToken, kind: 'ORGANIZATION' };
  const { data } = await installation.graph(CONNECT, { input }, { workspaceId: of });
  return ConnectionId.parse(data.connectWithApiToken.connection.id);
}

const read = (question: Partial<z.input<typeof ReadRecords.question>>) =>
  askForPage(nats.nats, ReadRecords, {
    workspaceId,
    connectionId,
    object: 'person',
    fields: ['name'],
    limit: 50,
    ...question,
  });

const change = (path: string, body: object, method: 'POST' | 'PATCH' | 'DELETE' = 'PATCH') =>
  fetch(`${sandbox.url}/api/v2${path}`, {
    method,
    headers: { 'x-api-token': sandbox.apiToken, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }).then(async (response) => JSON.parse(await response.text()).data);

test('records are read page by page, each with the named fields only, at the price of a list', async () => {
  const fields = ['name', 'emails', 'org_id'];
  const ids: string[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < 3; page += 1) {
    const { items, end } = await read({ fields, ...(cursor === undefined ? {} : { cursor }) });
    if (end.outcome !== 'page') throw new Error(`the budget answered ${end.reason}`);
    expect(end.costTokens).toBe(10);
    for (const record of items) {
      expect(fields).toEqual(expect.arrayContaining(Object.keys(record.fields)));
      ids.push(record.id);
    }
    cursor = end.nextCursor ?? undefined;
  }
  expect(cursor).toBeUndefined();
  expect(new Set(ids).size).toBe(120);
});

test('custom fields come by their code, whether a few are named or many', async () => {
  const { data } = await installation.graph(
    FIELDS,
    { id: connectionId, filter: { custom: true }, first: 500 },
    { workspaceId },
  );
  const custom = data.pipedriveFields.nodes.map(({ code }: { code: string }) => code);
  expect(custom.length).toBeGreaterThan(15);
  for (const fields of [custom.slice(0, 3), custom]) {
    const { items } = await read({ fields });
    expect(items.map((record) => Object.keys(record.fields).length)).toEqual(
      Array(50).fill(fields.length),
    );
  }
});

test('records can be named, leads too; those that are gone are left out', async () => {
  const persons = await read({ limit: 3 });
  const ids = persons.items.map(({ id }) => id);
  const named = await read({ ids: [...ids, '99999999'] });
  expect(named.items.map(({ id }) => id).sort()).toEqual(ids.sort());
  const leads = await read({ object: 'lead', fields: ['title'], limit: 2 });
  const gone = '00000000-0000-4000-8000-000000000000';
  const again = await read({
    object: 'lead',
    fields: ['title'],
    ids: [...leads.items.map(({ id }) => id), gone],
  });
  expect(again.items).toEqual(leads.items);
  expect(again.end).toMatchObject({ outcome: 'page', costTokens: 6 });
});

test('only what changed since a moment can be read', async () => {
  const created = await change('/persons', { name: 'Newest' }, 'POST');
  const { items } = await read({ updatedSince: created.update_time });
  expect(items.map(({ fields }) => fields.name)).toContain('Newest');
  expect(items.length).toBeLessThan(5);
});

test.each([
  ['is unreachable', { kind: 'cut-before' }, 'pipedrive_unreachable'],
  ['fails', { kind: '500' }, 'pipedrive_unreachable'],
])('a Pipedrive that %s is a clear refusal', async (_, fault, reason) => {
  const workspace = newWorkspace();
  const id = await connect(workspace);
  await installation.control('POST', '/faults', { ...fault, match: { path: '/api/v2/persons' } });
  await expect(read({ workspaceId: workspace, connectionId: id })).rejects.toMatchObject({
    kind: 'unavailable',
    detail: { reason },
  });
});

test('users cannot be listed as records, and a foreign connection is like none', async () => {
  await expect(read({ object: 'user' })).rejects.toMatchObject({ kind: 'invalid' });
  const stranger = newWorkspace();
  const absent = newId('cn', ConnectionId);
  for (const id of [connectionId, absent]) {
    const question = { workspaceId: stranger, connectionId: id };
    const refused = { kind: 'not_found', message: `There is no connection ${id}` };
    await expect(read(question)).rejects.toMatchObject(refused);
    await expect(ask(nats.nats, DescribeConnection, question)).rejects.toMatchObject(refused);
    const person = { ...question, object: 'person' as const };
    await expect(ask(nats.nats, ListFields, person)).rejects.toMatchObject(refused);
    await expect(ask(nats.nats, CountRecords, person)).rejects.toMatchObject(refused);
  }
});

test('a connection is described, with the address of the company', async () => {
  const question = { workspaceId, connectionId };
  expect(await ask(nats.nats, DescribeConnection, question)).toMatchObject({
    status: 'ACTIVE',
    companyDomain: 'sandbox',
    companyUrl: sandbox.url,
  });
});

test('of records the newest id is told, for the price of a list; of leads nothing, for nothing', async () => {
  const question = { workspaceId, connectionId };
  const { id } = await change('/organizations', { name: 'Last' }, 'POST');
  const before = (await installation.control('GET', '/ledger')).tokens;
  expect(await ask(nats.nats, CountRecords, { ...question, object: 'organization' })).toEqual({
    count: null,
    highestId: id,
    costTokens: 10,
  });
  expect((await installation.control('GET', '/ledger')).tokens - before).toBe(10);
  expect(await ask(nats.nats, CountRecords, { ...question, object: 'lead' })).toEqual({
    count: null,
    highestId: null,
    costTokens: 0,
  });
});

test('when the newest id cannot be read now, it is unknown', async () => {
  await installation.control('POST', '/faults', {
    kind: '500',
    match: { path: '/api/v2/persons' },
  });
  const question = { workspaceId, connectionId, object: 'person' as const };
  expect(await ask(nats.nats, CountRecords, question)).toMatchObject({ highestId: null });
});

test('the catalogue is listed for services and, page by page, in the graph', async () => {
  const question = { workspaceId, connectionId, object: 'person' as const };
  const { fields, revision } = await ask(nats.nats, ListFields, question);
  expect(revision).toBeGreaterThan(0);
  const { data } = await installation.graph(
    FIELDS,
    { id: connectionId, first: 2 },
    { workspaceId },
  );
  const page = data.pipedriveFields;
  expect(page).toMatchObject({ totalCount: fields.length, revision });
  const after = page.pageInfo.endCursor;
  const rest = await installation.graph(
    FIELDS,
    { id: connectionId, first: 500, after },
    { workspaceId },
  );
  const listed = [...page.nodes, ...rest.data.pipedriveFields.nodes];
  expect(listed.map(({ code }) => code)).toEqual(fields.map(({ code }) => code));
  const choice = listed.find(({ type, custom }) => type === 'enum' && custom);
  expect(choice.options[0]).toEqual({ id: expect.any(String), label: expect.any(String) });
});

test('reading the catalogue again tells what came, changed and went, once (RF-11)', async () => {
  const workspace = newWorkspace();
  const id = await connect(workspace);
  const input = { connectionId: id, objects: ['PERSON'] };
  const refresh = async () =>
    (await installation.graph(REFRESH, { input }, { workspaceId: workspace })).data.refreshFields
      .changes[0];
  const still = await refresh();
  expect(still).toMatchObject({
    object: 'PERSON',
    revision: 1,
    added: [],
    changed: [],
    removed: [],
  });

  const made = await change('/personFields', { field_name: 'Pet', field_type: 'varchar' }, 'POST');
  expect(await refresh()).toMatchObject({ revision: 2, added: [made.field_code], changed: [] });
  const selectable = await installation.graph(
    FIELDS,
    { id, first: 500 },
    { workspaceId: workspace },
  );
  expect(selectable.data.pipedriveFields.nodes).toContainEqual(
    expect.objectContaining({ code: made.field_code, name: 'Pet' }),
  );
  await change(`/personFields/${made.field_code}`, { field_name: 'Pets' });
  expect(await refresh()).toMatchObject({ revision: 3, changed: [made.field_code] });
  await change(`/personFields/${made.field_code}`, {}, 'DELETE');
  expect(await refresh()).toMatchObject({ revision: 4, removed: [made.field_code] });
  const { data } = await installation.graph(LIST, {}, { workspaceId: workspace });
  expect(data.connections.nodes).toEqual([{ id }]);
  await eventually(async () => {
    const told = await listEvents(database.db, workspace, 'fields_changed');
    expect(told.map(({ payload }) => payload.revision)).toEqual([2, 3, 4]);
  });
});

test('what connecting and reading cost is in the ledger, as Pipedrive counts it', async () => {
  const theirs = async () => (await installation.control('GET', '/ledger')).tokens;
  const before = await theirs();
  const workspace = newWorkspace();
  const id = await connect(workspace);
  await read({ workspaceId: workspace, connectionId: id });
  await read({ workspaceId: workspace, connectionId: id, object: 'lead', fields: ['title'] });
  await eventually(async () => {
    const calls = await withWorkspace(database.db, workspace, (tx) =>
      tx.selectFrom('api_call').select(['tokens', 'lane', 'feature']).orderBy('id').execute(),
    );
    expect(calls.reduce((sum, { tokens }) => sum + tokens, 0)).toBe((await theirs()) - before);
    expect(calls.at(-1)).toMatchObject({ lane: 'bulk', feature: 'reads' });
  });
});

test('without budget the answer is when to ask again, and nothing is read', async () => {
  const workspace = newWorkspace();
  const id = await connect(workspace);
  await installation.control('PUT', '/limits', {
    plan: 'lite',
    dailyTokens: 1,
    dailyHeaders: true,
  });
  const question = { workspaceId: workspace, connectionId: id };
  const { items, end } = await read(question);
  expect([items, end]).toEqual([
    [],
    { outcome: 'wait', until: expect.any(String), reason: 'budget_spent' },
  ]);
  if (end.outcome === 'wait') expect(new Date(end.until).getTime()).toBeGreaterThan(Date.now());
});
