import { eventually } from '@manifold/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { type Installation, removeInstallation, startInstallation } from '../src/installation.ts';
import { startFollowing } from './following.ts';

let manifold: Installation;
beforeAll(async () => {
  manifold = await startInstallation({ env: { DEMO_PERSONS: '30', DEMO_ORGANIZATIONS: '10' } });
  await manifold.printed('The demo is complete', 120_000);
  await makeMore();
}, 240_000);
afterAll(async () => {
  await manifold.stop();
  await removeInstallation(manifold);
}, 60_000);

/** Lists, each with the single query of the same things, where there is one. */
const lists: Record<string, string | undefined> = {
  connections: 'connection',
  writeRequests: 'writeRequest',
  writeSteps: undefined,
  changeSets: 'changeSet',
  fieldMappings: 'fieldMapping',
  dataSources: 'dataSource',
  syncRuns: 'syncRun',
  contacts: 'contact',
  accounts: 'account',
  campaigns: 'campaign',
  referralUsers: 'referralUser',
  auditEntries: 'auditEntry',
  members: undefined,
  apiKeys: undefined,
};

/** Queries that name something of a workspace in another way; `$id` is the owner's connection. */
const aboutConnection: Record<string, string> = {
  apiEstimate:
    'query ($id: ID!) { apiEstimate(connectionId: $id, job: REFRESH_FIELDS, object: PERSON) { __typename } }',
  apiForecast: 'query ($id: ID!) { apiForecast(connectionId: $id) { __typename } }',
  completeness: 'query ($id: ID!) { completeness(connectionId: $id) { __typename } }',
  connectionPreflight: 'query ($id: ID!) { connectionPreflight(connectionId: $id) { __typename } }',
  fieldChanges: 'query ($id: ID!) { fieldChanges(connectionId: $id) { nodes { __typename } } }',
  pipedriveRecord:
    'query ($id: ID!) { pipedriveRecord(connectionId: $id, object: PERSON, id: "1", fields: ["name"]) { __typename } }',
  pipedriveRecords:
    'query ($id: ID!) { pipedriveRecords(connectionId: $id, object: PERSON, ids: ["1"], fields: ["name"]) { __typename } }',
  recordTracking: 'query ($id: ID!) { recordTracking(connectionId: $id) { __typename } }',
  apiBudget: 'query ($id: ID!) { apiBudget(connectionId: $id) { __typename } }',
  pipedriveFields:
    'query ($id: ID!) { pipedriveFields(connectionId: $id, object: PERSON) { nodes { code } } }',
  previewMapping:
    'query ($id: ID!) { previewMapping(input: { connectionId: $id, purpose: CONTACTS_FROM_PIPEDRIVE, object: PERSON, rows: [{ source: { object: PERSON, field: "name" }, target: { object: CONTACT, field: "name" } }] }) { __typename } }',
  suggestRows:
    'query ($id: ID!) { suggestRows(connectionId: $id, purpose: CONTACTS_FROM_PIPEDRIVE) { __typename } }',
};

/** Lists without ids: full for the owner, empty for an outsider. */
const counted: Record<string, string> = {
  apiCalls: '{ apiCalls(first: 5) { nodes { __typename } } }',
  apiUsage: '{ apiUsage(by: DAY) { nodes { __typename } } }',
  displayConfig: '{ displayConfig(object: CONTACT) { available { __typename } } }',
};

/** The installation's own matters, and settings of the caller's workspace that name nothing. */
const ofNobody = [
  'connectionTerms',
  'encryption',
  'oauthApps',
  'suggestFieldType',
  'writePolicy',
  // made only by a clash with a person's edit: `apps/connections/src/writes/steps/tenancy.test.ts`
  'overwrites',
  // made only by a fault: `apps/audit/src/parked/keepers.test.ts`
  'parkedMessages',
];

/** Subscriptions, each with the list whose first id the owner follows. */
const followed: Record<string, { of: string; text: string }> = {
  budgetChanged: {
    of: 'connections',
    text: 'subscription ($id: ID!) { budgetChanged(connectionId: $id) { day } }',
  },
  changeSetProgressed: {
    of: 'changeSets',
    text: 'subscription ($id: ID!) { changeSetProgressed(id: $id) { state } }',
  },
  connectionChanged: {
    of: 'connections',
    text: 'subscription ($id: ID!) { connectionChanged(id: $id) { status } }',
  },
  mappingDrifted: {
    of: 'fieldMappings',
    text: 'subscription ($id: ID!) { mappingDrifted(id: $id) { state } }',
  },
};

/** Queries that answer about the caller's own workspace only. */
const own = {
  viewer: '{ viewer { workspace { id } workspaces { id } } }',
  workspace: '{ workspace { id } }',
};

test('every query of the graph is in one of these tables', async () => {
  const { data } = z
    .object({ data: z.object({ __schema: z.object({ queryType: z.object({ fields: Names }) }) }) })
    .parse(await ask('owner', '{ __schema { queryType { fields { name } } } }'));
  const known = [
    ...Object.entries(lists).flat(),
    ...Object.keys(aboutConnection),
    ...Object.keys(counted),
    ...Object.keys(own),
    ...ofNobody,
    'node',
    'nodes',
  ];
  expect(data.__schema.queryType.fields.map(({ name }) => name).toSorted()).toEqual(
    known.filter((name) => name !== undefined).toSorted(),
  );
});

test('every subscription of the graph is in the table of them', async () => {
  const { data } = z
    .object({
      data: z.object({ __schema: z.object({ subscriptionType: z.object({ fields: Names }) }) }),
    })
    .parse(await ask('owner', '{ __schema { subscriptionType { fields { name } } } }'));
  expect(data.__schema.subscriptionType.fields.map(({ name }) => name).toSorted()).toEqual(
    Object.keys(followed).toSorted(),
  );
});

test.each(Object.entries(followed))(
  '%s: another workspace’s thing is followed exactly like one that does not exist',
  async (name, { of, text }) => {
    const [id = ''] = await idsOf('owner', of);
    const follow = async (user: string, thing: string) => {
      const { gateway, users } = await manifold.endpoints();
      const apiKey = users[user]?.apiKey ?? '';
      const { seen, leave } = await startFollowing({ gateway, apiKey }, text, { id: thing });
      await eventually(() => expect(seen.results).toHaveLength(1));
      await leave();
      return seen;
    };
    expect((await follow('owner', id)).results[0]?.data[name]).not.toBeNull();
    const foreign = await follow('outsider', id);
    expect(foreign).toEqual(await follow('outsider', absentLike(id)));
    expect(foreign.results).toEqual([{ data: { [name]: null }, errors: [] }]);
  },
);

test.each(Object.keys(lists))('%s shows an outsider nothing of another workspace', async (list) => {
  const ofOwner = await idsOf('owner', list);
  const ofOutsider = await idsOf('outsider', list);
  expect(ofOwner.length).toBeGreaterThan(0);
  expect(ofOutsider.filter((id) => ofOwner.includes(id))).toEqual([]);
});

test.each(Object.entries(lists).filter(([, single]) => single !== undefined))(
  '%s: another workspace’s id is answered exactly like one that does not exist',
  async (list, single) => {
    const [id = ''] = await idsOf('owner', list);
    const text = `query ($id: ID!) { ${single}(id: $id) { id } }`;
    expect(JSON.stringify(await ask('owner', text, { id }))).toContain(id);
    const foreign = await ask('outsider', text, { id });
    expect(foreign).toEqual(await ask('outsider', text, { id: absentLike(id) }));
    expect(foreign).toEqual({ data: { [single ?? '']: null } });
  },
);

test.each(Object.keys(aboutConnection))('%s tells an outsider nothing', async (name) => {
  const [id = ''] = await idsOf('owner', 'connections');
  const text = aboutConnection[name] ?? '';
  expect(await ask('owner', text, { id })).not.toHaveProperty('errors');
  const foreign = withoutIds(await ask('outsider', text, { id }));
  const absent = withoutIds(await ask('outsider', text, { id: absentLike(id) }));
  expect(foreign).toEqual(absent);
  expect(foreign).not.toEqual(withoutIds(await ask('owner', text, { id })));
});

test.each(Object.entries(counted))('%s is empty for an outsider', async (_, text) => {
  const typed = /"__typename"/;
  expect(JSON.stringify(await ask('owner', text))).toMatch(typed);
  expect(JSON.stringify(await ask('outsider', text))).not.toMatch(typed);
});

test('node and nodes give an outsider nothing to read of another workspace', async () => {
  const ids = await Promise.all(
    ['contacts', 'referralUsers', 'connections'].map(
      async (list) => (await idsOf('owner', list))[0] ?? '',
    ),
  );
  const text =
    'query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Contact { name } ... on ReferralUser { email } ... on Connection { status } } }';
  const told = JSON.stringify(await ask('owner', text, { ids }));
  expect(told).toContain('@example.org');
  const foreign = withoutIds(await ask('outsider', text, { ids }));
  expect(foreign).toEqual(withoutIds(await ask('outsider', text, { ids: ids.map(absentLike) })));
  expect(JSON.stringify(foreign)).not.toContain('@example.org');
});

test.each(Object.entries(own))('%s is about the caller’s own workspace', async (_, text) => {
  const owner = JSON.stringify(await ask('owner', text));
  const outsider = JSON.stringify(await ask('outsider', text));
  const [mine = ''] = /ws_[0-9a-f]{32}/.exec(owner) ?? [];
  expect(mine).not.toBe('');
  expect(outsider).not.toContain(mine);
});

test('the header x-workspace chooses only among the caller’s workspaces', async () => {
  const { gateway, users } = await manifold.endpoints();
  const owner = JSON.stringify(await ask('owner', own.workspace));
  const [workspaceId = ''] = /ws_[0-9a-f]{32}/.exec(owner) ?? [];
  const answer = await fetch(gateway, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${users['outsider']?.apiKey}`,
      'x-workspace': workspaceId,
    },
    body: JSON.stringify({ query: own.workspace }),
  });
  expect(await answer.text()).toMatch(/UNAUTHENTICATED|FORBIDDEN|NOT_FOUND/);
});

const Names = z.array(z.object({ name: z.string() }));

async function ask(user: string, query: string, variables: unknown = {}): Promise<unknown> {
  const { gateway, users } = await manifold.endpoints();
  const response = await fetch(gateway, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${users[user]?.apiKey}` },
    body: JSON.stringify({ query, variables }),
  });
  return response.json();
}

async function idsOf(user: string, list: string): Promise<string[]> {
  const text = ['members', 'apiKeys'].includes(list)
    ? `{ list: ${list} { nodes { id } } }`
    : `{ list: ${list}(first: 200) { nodes { id } } }`;
  const { data } = z
    .object({
      data: z.object({ list: z.object({ nodes: z.array(z.object({ id: z.string() })) }) }),
    })
    .parse(await ask(user, text));
  return data.list.nodes.map(({ id }) => id);
}

/** What the demo does not make: a change set, a new field, tracked records. */
async function makeMore(): Promise<void> {
  const [connectionId = ''] = await idsOf('owner', 'connections');
  const change = {
    object: 'PERSON',
    identity: [{ kind: 'PIPEDRIVE_ID', value: '1' }],
    fields: [{ code: 'name', value: 'Ada' }],
  };
  const made = await ask(
    'owner',
    `mutation ($set: PlanChangeSetInput!, $field: CreateFieldInput!) {
       planChangeSet(input: $set) { changeSet { id } }
       createField(input: $field) { field { code } } }`,
    {
      set: { connectionId, title: 'Names', changes: [change] },
      field: { connectionId, object: 'PERSON', name: 'Shoe size', type: 'DOUBLE' },
    },
  );
  expect(made).not.toHaveProperty('errors');
  const tracked = aboutConnection['completeness'] ?? '';
  await eventually(
    async () =>
      expect(JSON.stringify(await ask('owner', tracked, { id: connectionId }))).toContain(
        'CompletenessCertificate',
      ),
    { timeoutMs: 30_000 },
  );
}

const absentLike = (id: string): string => `${id.slice(0, 3)}${'0'.repeat(32)}`;

/** Answers compared by what they say, not by which id they repeat. */
const withoutIds = (answer: unknown): unknown =>
  JSON.parse(
    JSON.stringify(answer)
      .replaceAll(/[a-z]{2}_[0-9a-f]{32}/g, '<id>')
      .replaceAll(/"correlationId":"[^"]*"/g, '"correlationId":"<id>"'),
  );
