import { ConnectionId } from '@manifold/contracts';
import {
  createTestDatabase,
  eventually,
  silentLog,
  startTestNats,
  startTestPipedrive,
} from '@manifold/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  type Caller,
  type Installation,
  newWorkspace,
  startInstallation,
} from '../../test/installation.ts';
import { listEvents } from '../../test/looking.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';

const CONNECT = `mutation ($input: ConnectWithApiTokenInput!) {
  connectWithApiToken(input: $input) { connection { id } } }`;
const CREATE = `mutation ($input: CreateFieldInput!) { createField(input: $input) {
  created addedOptions field { code name type custom options { id label } } } }`;
const OPTIONS = `mutation ($input: CreateFieldOptionsInput!) { createFieldOptions(input: $input) {
  created field { options { id label } } } }`;
const REFRESH = `mutation ($input: RefreshFieldsInput!) { refreshFields(input: $input) {
  changes { object added changed removed differences { kind fieldCode before after } } } }`;
const CHANGES = `query ($id: ID!, $filter: PipedriveFieldDifferenceFilter, $first: Int, $after: String) {
  fieldChanges(connectionId: $id, filter: $filter, first: $first, after: $after) {
    totalCount pageInfo { endCursor hasNextPage }
    nodes { object kind fieldCode fieldName optionId before after revision foundAt } } }`;
const FIELDS = `query ($id: ID!, $object: PipedriveObject!) {
  pipedriveFields(connectionId: $id, object: $object, first: 500) { nodes { code name type subfields } } }`;
const SUGGEST = `query ($sourceType: String, $samples: [String!]) {
  suggestFieldType(sourceType: $sourceType, samples: $samples) { type options reason } }`;
const ALLOW = `mutation ($input: AllowExternalIdInput!) { allowExternalId(input: $input) {
  connection { externalIdFields { object allowedBy fieldCode refusedReason } } } }`;
const DISALLOW = `mutation ($input: DisallowExternalIdInput!) { disallowExternalId(input: $input) {
  connection { externalIdFields { object } } } }`;

const database = await createTestDatabase<Tables>(migrations);
const nats = await startTestNats();
const sandbox = await startTestPipedrive();
let installation: Installation;
let caller: Caller;
let connectionId: ConnectionId;
let count = 0;

beforeAll(async () => {
  const ground = { urls: database.urls, natsUrl: nats.url, sandbox, log: silentLog };
  installation = await startInstallation(ground);
});
beforeEach(async () => {
  await installation.control('DELETE', '/faults');
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

const ask = (query: string, variables: object, as: Partial<Caller> = {}) =>
  installation.graph(query, variables, { ...caller, ...as });
const refusalOf = async (answer: Promise<{ errors?: { extensions: object }[] }>) =>
  (await answer).errors?.[0]?.extensions;

const newName = () => {
  count += 1;
  return `Field ${count}`;
};
const create = (input: object, as?: Partial<Caller>) =>
  ask(CREATE, { input: { connectionId, object: 'PERSON', ...input } }, as);

/** Somebody in Pipedrive's own settings. */
const edit = (path: string, body: object, method: 'POST' | 'PATCH' | 'DELETE') =>
  fetch(`${sandbox.url}/api/v2${path}`, {
    method,
    headers: { 'x-api-token': sandbox.apiToken, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }).then(async (response) => JSON.parse(await response.text()).data);

test('every kind of record but users has a catalogue from the first day', async () => {
  for (const object of ['PERSON', 'ORGANIZATION', 'DEAL', 'LEAD', 'ACTIVITY', 'PRODUCT', 'NOTE']) {
    const { data } = await ask(FIELDS, { id: connectionId, object });
    expect(data.pipedriveFields.nodes.length, object).toBeGreaterThan(3);
  }
  const input = { connectionId, objects: ['USER'] };
  expect(await refusalOf(ask(REFRESH, { input }))).toMatchObject({ reason: 'invalid_input' });
});

test('a missing field is made with the type its values suggest, once (SL-42)', async () => {
  const wanted = { name: newName(), samples: ['12', '3.5'] };
  const { data } = await create(wanted);
  expect(data.createField).toMatchObject({
    created: true,
    field: { name: wanted.name, type: 'double', custom: true },
  });
  const again = await create(wanted);
  expect(again.data.createField).toEqual({ ...data.createField, created: false });
  const fields = await ask(FIELDS, { id: connectionId, object: 'PERSON' });
  expect(fields.data.pipedriveFields.nodes).toContainEqual(
    expect.objectContaining({ code: data.createField.field.code }),
  );
  await eventually(async () => {
    const [told] = await listEvents(database.db, caller.workspaceId, 'fields_changed');
    expect(told?.payload).toMatchObject({
      added: [data.createField.field.code],
      differences: [{ kind: 'added', before: null, after: wanted.name }],
    });
  });
});

test('the four fields referrals are kept in are made on request, each once, and then listed (RF-04)', async () => {
  const wanted = (
    [
      ['Referral link', 'TEXT'],
      ['Referral count', 'DOUBLE'],
      ['Converted referral count', 'DOUBLE'],
      ['Campaign name', 'TEXT'],
    ] as const
  ).map(([name, type]) => ({ name: `${name} ${newName()}`, type }));
  const codes: string[] = [];
  for (const field of [...wanted, ...wanted]) {
    const { data } = await create(field);
    const { created, field: made } = data.createField;
    expect(created).toBe(!codes.includes(made.code));
    if (created) codes.push(made.code);
  }
  expect(codes).toHaveLength(4);
  const { data } = await ask(FIELDS, { id: connectionId, object: 'PERSON' });
  const names = wanted.map(({ name }) => name);
  const listed: { code: string; name: string; type: string }[] = data.pipedriveFields.nodes;
  expect(
    listed
      .filter(({ name }) => names.includes(name))
      .map(({ code, name, type }) => ({ code, name, type })),
  ).toEqual(
    wanted.map(({ name, type }, at) => ({ code: codes[at], name, type: type.toLowerCase() })),
  );
});

test('the types people can choose are suggested with a reason (SL-42)', async () => {
  const { data } = await ask(SUGGEST, { sourceType: 'Large text' });
  expect(data.suggestFieldType).toEqual({
    type: 'TEXT',
    options: [],
    reason: expect.any(String),
  });
});

test('many who ask for one field at once get one field', async () => {
  const wanted = { name: newName(), type: 'VARCHAR' };
  const answers = await Promise.all(Array.from({ length: 5 }, () => create(wanted)));
  expect(answers.filter(({ data }) => data?.createField?.created)).toHaveLength(1);
  const fields = await ask(FIELDS, { id: connectionId, object: 'PERSON' });
  const made = fields.data.pipedriveFields.nodes.filter(
    ({ name }: { name: string }) => name === wanted.name,
  );
  expect(made).toHaveLength(1);
});

test('a name that another type has is refused, with the field to use instead', async () => {
  const name = newName();
  const { data } = await create({ name, type: 'VARCHAR' });
  expect(await refusalOf(create({ name, type: 'DATE' }))).toMatchObject({
    code: 'CONFLICT',
    reason: 'field_name_taken',
    fix: expect.stringContaining(data.createField.field.code),
  });
});

test.each([
  [{ name: 'X', type: 'ENUM' }, 'input.options'],
  [{ name: 'X', type: 'VARCHAR', options: ['a'] }, 'input.options'],
  [{ name: 'X', type: 'VARCHAR', object: 'NOTE' }, 'input.object'],
  [{ name: ' ', type: 'VARCHAR' }, undefined],
])(
  'a field that cannot be made is refused before Pipedrive is asked: %j',
  async (wanted, field) => {
    const refusal = await refusalOf(create(wanted));
    expect(refusal).toMatchObject({ code: 'BAD_USER_INPUT' });
    if (field !== undefined) expect(refusal).toMatchObject({ field });
  },
);

test('only administrators make fields and agree to external ids', async () => {
  const member = { role: 'MEMBER' } as const;
  const wanted = { name: newName(), type: 'VARCHAR' };
  const consent = { input: { connectionId, objects: ['PERSON'] } };
  for (const answer of [create(wanted, member), ask(ALLOW, consent, member)]) {
    expect(await refusalOf(answer)).toMatchObject({ reason: 'role_too_low' });
  }
});

test('a field that is there already gets the choices it lacks, and says which (SL-42)', async () => {
  const wanted = { name: newName(), type: 'ENUM', options: ['Dog', 'Cat'] };
  const { data: first } = await create(wanted);
  expect(first.createField).toMatchObject({ created: true, addedOptions: [] });
  const more = { ...wanted, options: ['dog', 'Bird', 'Fish'] };
  const { data: second } = await create(more);
  expect(second.createField).toMatchObject({
    ...{ created: false, addedOptions: ['Bird', 'Fish'] },
    field: {
      code: first.createField.field.code,
      options: [{ label: 'Dog' }, { label: 'Cat' }, { label: 'Bird' }, { label: 'Fish' }],
    },
  });
  const { data: third } = await create(more);
  expect(third.createField).toEqual({ ...second.createField, addedOptions: [] });
});

test('a field of leads is one of deals, and choices are added once', async () => {
  const wanted = { object: 'LEAD', name: newName(), type: 'SET', options: ['One', 'Two'] };
  const { data } = await create(wanted);
  const { code } = data.createField.field;
  const input = { connectionId, object: 'DEAL', fieldCode: code, labels: ['two', 'Three'] };
  const added = await ask(OPTIONS, { input });
  expect(added.data.createFieldOptions).toMatchObject({
    created: ['Three'],
    field: { options: [{ label: 'One' }, { label: 'Two' }, { label: 'Three' }] },
  });
  const repeated = await ask(OPTIONS, { input });
  expect(repeated.data.createFieldOptions.created).toEqual([]);
  const { data: seen } = await ask(FIELDS, { id: connectionId, object: 'LEAD' });
  expect(seen.pipedriveFields.nodes).toContainEqual(expect.objectContaining({ code }));
});

test('a field is made with each choice once, and one that is not there is said to be unknown', async () => {
  const wanted = { object: 'PERSON', name: newName(), type: 'ENUM', options: ['Gold', 'gold'] };
  const { data } = await create(wanted);
  expect(data.createField.field.options).toMatchObject([{ label: 'Gold' }]);
  const refusals = [
    await ask(OPTIONS, {
      input: { connectionId, object: 'DEAL', fieldCode: 'nope', labels: ['x'] },
    }),
    await create({ ...wanted, object: 'NOTE' }),
  ];
  expect(refusals.map(({ errors }) => errors[0].extensions)).toMatchObject([
    { reason: 'unknown_field', field: 'input.fieldCode' },
    { reason: 'invalid_input', fix: 'Use any of PERSON, ORGANIZATION, DEAL, PRODUCT, LEAD.' },
  ]);
});

test('what somebody changes in Pipedrive is listed, newest first, with before and after', async () => {
  const made = await edit(
    '/personFields',
    { field_name: 'Pet', field_type: 'enum', options: [{ label: 'Dog' }] },
    'POST',
  );
  const input = { connectionId, objects: ['PERSON'] };
  await ask(REFRESH, { input });
  await edit(`/personFields/${made.field_code}`, { field_name: 'Animal' }, 'PATCH');
  await edit(`/personFields/${made.field_code}/options`, [{ label: 'Cat' }], 'POST');
  const { data } = await ask(REFRESH, { input });
  expect(data.refreshFields.changes[0].differences).toEqual([
    { kind: 'RENAMED', fieldCode: made.field_code, before: 'Pet', after: 'Animal' },
    { kind: 'OPTION_ADDED', fieldCode: made.field_code, before: null, after: 'Cat' },
  ]);
  await edit(`/personFields/${made.field_code}`, {}, 'DELETE');
  await ask(REFRESH, { input });

  const first = await ask(CHANGES, { id: connectionId, first: 2 });
  const page = first.data.fieldChanges;
  expect(page).toMatchObject({ totalCount: 4, pageInfo: { hasNextPage: true } });
  const after = page.pageInfo.endCursor;
  const rest = await ask(CHANGES, { id: connectionId, first: 5, after });
  const kinds = [...page.nodes, ...rest.data.fieldChanges.nodes].map(({ kind }) => kind);
  expect(kinds).toEqual(['REMOVED', 'OPTION_ADDED', 'RENAMED', 'ADDED']);
  const filter = { kind: ['REMOVED'], object: ['PERSON'] };
  const removed = await ask(CHANGES, { id: connectionId, filter });
  expect(removed.data.fieldChanges.nodes).toMatchObject([
    { object: 'PERSON', fieldName: 'Animal', before: 'Animal', after: null },
  ]);
  const stranger = { workspaceId: newWorkspace() };
  expect(await refusalOf(ask(CHANGES, { id: connectionId }, stranger))).toMatchObject({
    reason: 'record_not_found',
  });
});

test('consent to external ids is kept with who gave it, and can be taken back', async () => {
  const input = { connectionId, objects: ['PERSON', 'DEAL'] };
  const { data } = await ask(ALLOW, { input });
  expect(data.allowExternalId.connection.externalIdFields).toEqual(
    ['DEAL', 'PERSON'].map((object) => ({
      object,
      allowedBy: installation.userId,
      fieldCode: null,
      refusedReason: null,
    })),
  );
  const less = await ask(DISALLOW, { input: { connectionId, objects: ['DEAL'] } });
  expect(less.data.disallowExternalId.connection.externalIdFields).toEqual([{ object: 'PERSON' }]);
  const lead = { connectionId, objects: ['LEAD'] };
  expect(await refusalOf(ask(ALLOW, { input: lead }))).toMatchObject({ field: 'input.objects' });
});
