import {
  createTestDatabase,
  eventually,
  silentLog,
  startTestGraph,
  startTestNats,
} from '@manifold/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startNeighbours } from '../../test/neighbours.ts';
import { organizationOf, personOf } from '../../test/records.ts';
import { createLoaders } from '../loaders.ts';
import { createMappings } from '../mappings/commands.ts';
import { migrations } from '../migrations/index.ts';
import { startSyncWorker } from '../pages/worker.ts';
import type { Tables } from '../store.ts';
import { createResolvers, schemaFiles } from '../subgraph.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const { nats, stop } = await startTestNats();
const now = () => new Date();
const mappings = createMappings();
const neighbours = startNeighbours(nats, silentLog);
const stopWorker = startSyncWorker({ db, nats, mappings, now, log: silentLog, pageSize: 10 });
const { graph: ask, stop: stopGraph } = await startTestGraph({
  service: 'contacts',
  schemaFiles,
  resolvers: createResolvers({ db, nats, now }),
  loaders: createLoaders({ db, mappings }),
});
let source = '';

const nameless = (id: number) => {
  const person = personOf(id);
  return { ...person, fields: { ...person.fields, emails: [], phones: [] } };
};

beforeAll(async () => {
  neighbours.records.organization = [organizationOf(1)];
  neighbours.records.person = [
    ...[1, 2, 3].map((id) => personOf(id)),
    ...Array.from({ length: 12 }, (_, index) => nameless(100 + index)),
  ];
  const { data } = await ask(
    'mutation ($input: CreateDataSourceInput!) { createDataSource(input: $input) { dataSource { id state setup { step missing { field } } } } }',
    { input: { name: 'Wooxy', requireIdentifier: true } },
  );
  const { dataSource } = data.createDataSource;
  expect(dataSource).toMatchObject({
    state: 'DRAFT',
    setup: { step: 'CONNECT', missing: [{ field: 'connectionId' }, { field: 'mappingId' }] },
  });
  source = dataSource.id;
  await ask(
    'mutation ($input: UpdateDataSourceInput!) { updateDataSource(input: $input) { dataSource { id } } }',
    {
      input: {
        dataSourceId: source,
        connectionId: neighbours.connectionId,
        mappingId: neighbours.mappingId,
      },
    },
  );
  await ask(`mutation { startSync(input: { dataSourceId: "${source}" }) { syncRun { id } } }`);
  await eventually(async () => {
    const run = await of('lastRun { state }');
    expect(run.lastRun.state).toBe('SUCCEEDED');
  });
});
afterAll(async () => {
  await stopWorker();
  await stopGraph();
  await neighbours.stop();
  await drop();
  await stop();
});

describe('a data source', () => {
  test('tells how many contacts it brought and when (OR-57)', async () => {
    const { overview } = await of('overview { added total last30Days series { date count } }');
    expect(overview).toMatchObject({ added: 3, total: 3, last30Days: 3 });
    expect(overview.series).toHaveLength(14);
    const today = new Date().toISOString().slice(0, 10);
    expect(overview.series.at(-1)).toEqual({ date: today, count: 3 });
  });

  test('lists its contacts like any list of contacts (OR-59)', async () => {
    const { contacts } = await of(
      'contacts(first: 2, orderBy: { field: NAME, direction: DESC }) { totalCount pageInfo { hasNextPage } nodes { name } }',
    );
    expect(contacts).toEqual({
      ...{ totalCount: 3, pageInfo: { hasNextPage: true } },
      nodes: [{ name: 'Person 00003' }, { name: 'Person 00002' }],
    });
    const one = await of('contacts(filter: { nameContains: "00002" }) { totalCount }');
    expect(one.contacts.totalCount).toBe(1);
    const none = await ask(
      `{ contacts(filter: { not: { dataSourceId: "${source}" } }) { totalCount } }`,
    );
    expect(none.data.contacts.totalCount).toBe(0);
  });

  test('keeps a feed of what happened, newest first, page by page (OR-58)', async () => {
    const { activity } = await of(
      'activity(first: 2) { totalCount pageInfo { endCursor hasNextPage } nodes { kind syncRun { state } reason } }',
    );
    expect(activity.totalCount).toBe(16);
    expect(activity.nodes[0]).toEqual({
      ...{ kind: 'RUN_ENDED', reason: null },
      syncRun: { state: 'SUCCEEDED' },
    });
    expect(activity.nodes[1]).toMatchObject({ kind: 'RECORD_SKIPPED', reason: 'no_identifier' });
    const rest = await of(
      `activity(after: "${activity.pageInfo.endCursor}", kinds: [SOURCE_CREATED, SOURCE_UPDATED, RUN_QUEUED]) { nodes { kind changedKeys } }`,
    );
    expect(rest.activity.nodes).toEqual([
      { kind: 'RUN_QUEUED', changedKeys: [] },
      { kind: 'SOURCE_CREATED', changedKeys: [] },
      { kind: 'SOURCE_UPDATED', changedKeys: ['connectionId', 'mappingId', 'mappingVersion'] },
    ]);
  });

  test('refuses a cursor of another list', async () => {
    const cursor = Buffer.from(JSON.stringify(['not a number'])).toString('base64url');
    const { errors } = await ask(
      `{ dataSource(id: "${source}") { activity(after: "${cursor}") { nodes { kind } } } }`,
    );
    expect(errors[0].extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'after' });
  });
});

test('persons without e-mail, phone and user id are skipped, counted and listed by reason (WX-10, WX-11)', async () => {
  const { lastRun } = await of(
    `lastRun { counts { reason count } skips(first: 5) { totalCount nodes { object pipedriveId reason } }
      others: skips(reason: "association_limit_reached") { totalCount } }`,
  );
  expect(lastRun.counts).toEqual(
    expect.arrayContaining([
      { reason: 'skipped', count: 12 },
      { reason: 'no_identifier', count: 12 },
    ]),
  );
  expect(lastRun.skips.totalCount).toBe(12);
  expect(lastRun.skips.nodes[0]).toEqual({
    ...{ object: 'PERSON', pipedriveId: '100', reason: 'no_identifier' },
  });
  expect(lastRun.others.totalCount).toBe(0);
});

test('a person says what a contact allows, and contacts are found by it (WX-14)', async () => {
  const { contacts } = await of('contacts(filter: { nameContains: "00001" }) { nodes { id } }');
  const set = `mutation ($id: ID!) { setSubscription(input: { contactId: $id, channel: SMS, state: SUBSCRIBED })
    { contact { subscriptions { channel state source } } } }`;
  const { data } = await ask(set, { id: contacts.nodes[0].id });
  expect(data.setSubscription.contact.subscriptions).toEqual([
    { channel: 'EMAIL', state: 'SUBSCRIBED', source: 'DEFAULT' },
    { channel: 'SMS', state: 'SUBSCRIBED', source: 'PERSON' },
  ]);
  const found =
    await of(`yes: contacts(filter: { subscription: { channel: SMS, state: SUBSCRIBED } }) { totalCount }
    no: contacts(filter: { subscription: { channel: SMS, state: UNSUBSCRIBED } }) { totalCount }
    unasked: contacts(filter: { not: { subscription: { channel: VIBER, state: UNSUBSCRIBED } } }) { totalCount }`);
  expect(found).toEqual({
    ...{ yes: { totalCount: 1 }, no: { totalCount: 2 }, unasked: { totalCount: 3 } },
  });
});

test.each([
  ['MEMBER', 'updateDataSource(input: { dataSourceId: "x", name: "y" }) { dataSource { id } }'],
  ...['disconnect', 'reconnect', 'archive', 'restore', 'delete'].map(
    (act) =>
      ['MEMBER', `${act}DataSource(input: { dataSourceId: "x" }) { dataSource { id } }`] as const,
  ),
  [
    'VIEWER',
    'setSubscription(input: { contactId: "x", channel: SMS, state: SUBSCRIBED }) { contact { id } }',
  ],
] as const)('out of reach for a %s: %s', async (role, mutation) => {
  const { errors } = await ask(`mutation { ${mutation} }`, {}, { role });
  expect(errors[0].extensions).toMatchObject({ code: 'FORBIDDEN', reason: 'role_too_low' });
});

test('a source that was deleted is listed only when asked for, and its contacts still name it (OR-51)', async () => {
  const remove = `mutation { deleteDataSource(input: { dataSourceId: "${source}" }) { dataSource { state } } }`;
  expect((await ask(remove)).data.deleteDataSource.dataSource.state).toBe('DELETED');
  const { data } = await ask(
    `{ dataSources { totalCount } deleted: dataSources(filter: { state: DELETED }) { totalCount }
      contacts { totalCount nodes { dataSource { name } } } }`,
  );
  expect(data).toMatchObject({
    ...{ dataSources: { totalCount: 0 }, deleted: { totalCount: 1 } },
    contacts: {
      totalCount: 3,
      nodes: Array.from({ length: 3 }, () => ({ dataSource: { name: 'Wooxy' } })),
    },
  });
});

/** Fields of the source. */
async function of(fields: string) {
  const { data } = await ask(`{ dataSource(id: "${source}") { ${fields} } }`);
  return data.dataSource;
}
