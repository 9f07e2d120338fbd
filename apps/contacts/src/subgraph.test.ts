import { WorkspaceId } from '@manifold/contracts';
import { newId } from '@manifold/database';
import {
  createTestDatabase,
  eventually,
  silentLog,
  startTestGraph,
  startTestNats,
} from '@manifold/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { walkContacts } from '../test/walk.ts';
import { createLoaders } from './loaders.ts';
import { createMappings } from './mappings/commands.ts';
import { migrations } from './migrations/index.ts';
import { startNeighbours } from '../test/neighbours.ts';
import { organizationOf, personOf } from '../test/records.ts';
import { startSyncWorker } from './pages/worker.ts';
import type { Tables } from './store.ts';
import { createResolvers, schemaFiles } from './subgraph.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const { nats, stop } = await startTestNats();
const now = () => new Date();
const mappings = createMappings();
const neighbours = startNeighbours(nats, silentLog);
const stopWorker = startSyncWorker({ db, nats, mappings, now, log: silentLog });
const { graph: ask, stop: stopGraph } = await startTestGraph({
  service: 'contacts',
  schemaFiles,
  resolvers: createResolvers({ db, nats, now }),
  loaders: createLoaders({ db, mappings }),
});
const strangers = newId('ws', WorkspaceId);
let dataSourceId = '';

beforeAll(async () => {
  neighbours.companyUrl = 'http://127.0.0.1:4700';
  neighbours.records.organization = [1, 2, 3].map((id) => organizationOf(id));
  neighbours.records.person = Array.from({ length: 30 }, (_, index) => {
    const organization = index < 10 ? 1 : null;
    return personOf(index + 1, {
      organization,
      name: index === 4 ? 'Ünal O_Neil' : `Person ${100 + index}`,
    });
  });
  const made = await ask(
    `mutation ($input: CreateDataSourceInput!) { createDataSource(input: $input) { dataSource { id } } }`,
    {
      input: {
        name: 'Sales',
        connectionId: neighbours.connectionId,
        mappingId: neighbours.mappingId,
      },
    },
  );
  dataSourceId = made.data.createDataSource.dataSource.id;
  await sync();
});
afterAll(async () => {
  await stopWorker();
  await stopGraph();
  await neighbours.stop();
  await drop();
  await stop();
});

describe('a contact', () => {
  test('shows its variables by type, its account and its record in Pipedrive', async () => {
    const { data } =
      await ask(`{ contacts(filter: { nameContains: "üNAL o_n" }) { totalCount nodes {
      name email phone emails { value primary } account { name website: variable(key: "website") { text } }
      variables(keys: ["industry", "budget"]) { key label type text number options money { amount currency } }
      pipedriveId pipedriveUrl pipedriveUpdatedAt connection { id } dataSource { name }
    } } }`);
    expect(data.contacts).toEqual({
      totalCount: 1,
      nodes: [
        {
          ...{ name: 'Ünal O_Neil', email: 'person5@example.com', phone: '+49 30 5' },
          emails: [{ value: 'person5@Example.com', primary: true }],
          account: { name: 'Organization 1', website: { text: 'https://org1.example.com' } },
          variables: [
            { ...variable('industry', 'Industry', 'OPTION', 'Farming'), options: ['Farming'] },
            {
              ...variable('budget', 'Budget', 'MONEY', '50 EUR'),
              ...{ number: 50, money: { amount: '50', currency: 'EUR' } },
            },
          ],
          ...{ pipedriveId: '5', pipedriveUrl: 'http://127.0.0.1:4700/person/5' },
          pipedriveUpdatedAt: '2026-01-01T00:00:00.000Z',
          connection: { id: neighbours.connectionId },
          dataSource: { name: 'Sales' },
        },
      ],
    });
  });

  test('is found again by its id and by reference, and only in its own workspace', async () => {
    const { data } = await ask('{ contacts(first: 1) { nodes { id name } } }');
    const [{ id, name }] = data.contacts.nodes;
    const query = `query ($id: ID!, $refs: [_Any!]!) { contact(id: $id) { name }
      _entities(representations: $refs) { ... on Contact { name } } }`;
    const variables = { id, refs: [{ __typename: 'Contact', id }] };

    expect((await ask(query, variables)).data).toEqual({
      contact: { name },
      _entities: [{ name }],
    });
    const nothing = { contact: null, _entities: [null] };
    expect((await ask(query, variables, { workspaceId: strangers })).data).toEqual(nothing);
    const invented = { id: 'no id at all', refs: [{ __typename: 'Contact', id: 'no id at all' }] };
    expect((await ask(query, invented)).data).toEqual(nothing);
  });
});

describe('the list of contacts', () => {
  test.each(['NAME', 'EMAIL', 'CREATED_AT', 'UPDATED_AT'])(
    'by %s pages to the end and back, each once',
    async (field) => {
      const { data } = await ask(
        `{ contacts(first: 100, orderBy: { field: ${field}, direction: DESC }) { nodes { id } } }`,
      );
      const whole = data.contacts.nodes.map(({ id }: { id: string }) => id);
      expect(new Set(whole).size).toBe(30);

      const forwards = await walkContacts(
        ask,
        `orderBy: { field: ${field}, direction: DESC }`,
        'forwards',
      );
      const backwards = await walkContacts(
        ask,
        `orderBy: { field: ${field}, direction: DESC }`,
        'backwards',
      );
      expect(forwards).toEqual(whole);
      expect(backwards).toEqual(whole);
    },
  );

  test.each([
    ['email: "PERSON7@example.com"', 1],
    ['emailContains: "ON3"', 2],
    ['emailContains: "_"', 0],
    ['nameContains: "person 10"', 9],
    ['dataSourceId: $source', 30],
    ['updatedAfter: "2100-01-01T00:00:00Z"', 0],
    ['updatedBefore: "2100-01-01T00:00:00Z"', 30],
    ['variable: { key: "industry", equals: "Retail" }', 15],
    ['variable: { key: "budget", greaterThan: 200, lessThan: 231 }', 3],
    ['variable: { key: "budget", equalsNumber: 50 }', 1],
    ['variable: { key: "phone", contains: "30 1" }', 11],
    ['variable: { key: "nickname", isSet: false }', 30],
    ['variable: { key: "industry", isSet: true }', 30],
    ['not: { variable: { key: "nickname", equals: "x" } }', 30],
    ['and: [{ emailContains: "person1" }, { not: { email: "person1@example.com" } }]', 10],
    ['or: [{ email: "person1@example.com" }, { email: "person2@example.com" }]', 2],
  ])('with %s holds %i', async (filter, count) => {
    const written = filter.replace('$source', `"${dataSourceId}"`);
    const { data } = await ask(`{ contacts(filter: { ${written} }) { totalCount nodes { id } } }`);
    expect(data.contacts.totalCount).toBe(count);
    expect(data.contacts.nodes).toHaveLength(count);
  });

  test('of an account holds its contacts', async () => {
    const { data } =
      await ask(`{ accounts(filter: { nameContains: "organization 1" }) { totalCount nodes { id name
      contacts(first: 3) { totalCount nodes { account { name } } } } } }`);
    const [account] = data.accounts.nodes;
    expect(data.accounts.totalCount).toBe(1);
    expect(account.contacts.totalCount).toBe(10);
    const byFilter = await ask(
      'query ($id: ID) { contacts(filter: { accountId: $id }) { totalCount } }',
      {
        id: account.id,
      },
    );
    expect(byFilter.data.contacts.totalCount).toBe(10);
  });

  test('refuses a filter that is nested too deep, a text no row can hold, and a cursor of another list', async () => {
    const deep = '{ not: '.repeat(6) + '{ email: "x" }' + ' }'.repeat(6);
    expect(
      (await ask(`{ contacts(filter: ${deep}) { nodes { id } } }`)).errors[0].extensions.code,
    ).toBe('BAD_USER_INPUT');
    const nul = await ask('{ contacts(filter: { nameContains: "\\u0000" }) { nodes { id } } }');
    expect(nul.errors[0].extensions.code).toBe('BAD_USER_INPUT');
    const cursor = Buffer.from(JSON.stringify(['not a time', 'x'])).toString('base64url');
    const { errors } = await ask(
      `{ contacts(after: "${cursor}", orderBy: { field: CREATED_AT, direction: ASC }) { nodes { id } } }`,
    );
    expect(errors[0].extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'after' });
  });
});

describe('a data source', () => {
  test('shows what came from it and how its runs went', async () => {
    const { data } = await ask(
      `query ($id: ID!) { dataSource(id: $id) { name state mappingVersion
      connection { id } mapping { id } counts { contacts accounts }
      lastRun { ...whole } runs { nodes { ...whole } } } }
      fragment whole on Run { state progress { done total ratePerSecond remainingSeconds } priceEstimate priceSpent counts { reason count } }`,
      {
        id: dataSourceId,
      },
    );
    const run = {
      state: 'SUCCEEDED',
      progress: { done: 33, total: 33, ratePerSecond: null, remainingSeconds: 0 },
      ...{ priceEstimate: 24, priceSpent: 24 },
      counts: [{ reason: 'created', count: 33 }],
    };
    expect(data.dataSource).toEqual({
      ...{ name: 'Sales', state: 'ACTIVE', mappingVersion: 1 },
      connection: { id: neighbours.connectionId },
      mapping: { id: neighbours.mappingId },
      counts: { contacts: 30, accounts: 3 },
      lastRun: run,
      runs: { nodes: [run] },
    });
  });

  test('made twice with one key is one, and the key serves no other input', async () => {
    const create = `mutation ($input: CreateDataSourceInput!) { createDataSource(input: $input) { dataSource { id } } }`;
    const { connectionId, mappingId } = neighbours;
    const input = { name: 'Again', connectionId, mappingId, idempotencyKey: 'once' };
    const first = await ask(create, { input });
    const second = await ask(create, { input });
    expect(second.data).toEqual(first.data);
    const other = await ask(create, { input: { ...input, name: 'Other' } });
    expect(other.errors[0].extensions.reason).toBe('duplicate_idempotency_key');
  });

  test.each([
    [
      'MEMBER',
      'createDataSource(input: { name: "x", connectionId: "x", mappingId: "x" }) { dataSource { id } }',
    ],
    ['MEMBER', 'archiveDataSource(input: { dataSourceId: "x" }) { dataSource { id } }'],
    ['VIEWER', 'startSync(input: { dataSourceId: "x" }) { syncRun { id } }'],
    ['VIEWER', 'cancelSync(input: { syncRunId: "x" }) { syncRun { id } }'],
  ] as const)('is out of reach for a %s: %s', async (role, mutation) => {
    const { errors } = await ask(`mutation { ${mutation} }`, {}, { role });
    expect(errors[0].extensions).toMatchObject({ code: 'FORBIDDEN', reason: 'role_too_low' });
  });

  test('of another workspace is answered like one that does not exist', async () => {
    const start =
      'mutation ($id: ID!) { startSync(input: { dataSourceId: $id }) { syncRun { id } } }';
    const theirs = await ask(start, { id: dataSourceId }, { workspaceId: strangers });
    const invented = `ds_${'0'.repeat(32)}`;
    const nobodys = await ask(start, { id: invented }, { workspaceId: strangers });

    expect(theirs.errors[0].extensions).toEqual(nobodys.errors[0].extensions);
    expect(theirs.errors[0].message.replace(dataSourceId, '')).toBe(
      nobodys.errors[0].message.replace(invented, ''),
    );
    const seen = await ask(
      'query ($id: ID!) { dataSource(id: $id) { id } dataSources { nodes { id } } syncRuns { nodes { id } } contacts { totalCount } accounts { totalCount } }',
      { id: dataSourceId },
      { workspaceId: strangers },
    );
    expect(seen.data).toEqual({
      ...{ dataSource: null, dataSources: { nodes: [] }, syncRuns: { nodes: [] } },
      ...{ contacts: { totalCount: 0 }, accounts: { totalCount: 0 } },
    });
  });
});

const variable = (key: string, label: string, type: string, text: string) => ({
  ...{ key, label, type, text },
  ...{ number: null, options: null, money: null },
});

async function sync(): Promise<void> {
  const { data } = await ask(
    'mutation ($id: ID!) { startSync(input: { dataSourceId: $id }) { syncRun { id state } } }',
    { id: dataSourceId },
  );
  const { id } = data.startSync.syncRun;
  await eventually(async () => {
    const run = await ask('query ($id: ID!) { syncRun(id: $id) { state } }', { id });
    expect(run.data.syncRun.state).toBe('SUCCEEDED');
  });
}
