import {
  ConnectionId,
  type FieldDefinition,
  type FieldMappingId,
  FieldsChanged,
  GetMapping,
  ListFields,
  WorkspaceId,
} from '@manifold/contracts';
import { newId, withWorkspace } from '@manifold/database';
import {
  ask,
  consume,
  ensureStream,
  publish,
  respondTo,
  serveRequests,
  startRelay,
} from '@manifold/messaging';
import {
  createTestDatabase,
  eventually,
  silentLog,
  startTestGraph,
  startTestNats,
} from '@manifold/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { budget, budgetCode, standard } from '../test/fields.ts';
import { LIST, PUBLISH, READ, SAVE } from '../test/operations.ts';
import { createCatalogueConsumers } from './catalogue/consumers.ts';
import { createGraph } from './graph.ts';
import { migrations } from './migrations/index.ts';
import type { Tables } from './store.ts';
import { createResponders } from './versions/responders.ts';

const service = 'field-mapping';
const workspaceId = newId('ws', WorkspaceId);
const stranger = newId('ws', WorkspaceId);
const connectionId = newId('cn', ConnectionId);
const log = silentLog;
const now = () => new Date();
const { db, drop } = await createTestDatabase<Tables>(migrations);
const { nats, stop } = await startTestNats();
const { graph, stop: stopGraph } = await startTestGraph({
  service,
  caller: { workspaceId, role: 'ADMIN' },
  ...createGraph({ db, nats, now }),
});
const stops: (() => unknown)[] = [stopGraph];

/** What the stand-in for connections knows. */
let fields: FieldDefinition[] = standard;
let revision = 1;
let stopConnections: (() => Promise<void>) | undefined;

function startConnections(): void {
  const answer = respondTo(ListFields, async ({ object }) => ({
    revision,
    fields: fields.filter((field) => field.object === object),
  }));
  stopConnections = serveRequests({ nats, service: 'connections', responders: [answer], log });
}

beforeAll(async () => {
  await ensureStream(nats, service);
  const handlers = createCatalogueConsumers({ nats, now });
  stops.push(await consume({ db, nats, service, handlers, log }));
  stops.push(startRelay({ db, nats, log }));
  stops.push(serveRequests({ nats, service, responders: createResponders({ db }), log }));
});
beforeEach(async () => {
  await stopConnections?.();
  fields = standard;
  revision += 1;
  startConnections();
});
afterAll(async () => {
  for (const release of stops.toReversed()) await release();
  await stopConnections?.();
  await stop();
  await drop();
});

test('without rows a mapping gets a row for everything that can be mapped', async () => {
  fields = [...standard, budget];
  const { fieldMapping } = await save({ purpose: 'CONTACTS_FROM_PIPEDRIVE' });

  expect(fieldMapping).toMatchObject({ state: 'DRAFT', version: null, problems: [] });
  expect(fieldMapping.rows.map((row: { id: string }) => row.id)).toEqual([
    'contact.name',
    'contact.email',
    'contact.emails',
    'contact.budget',
  ]);
  expect(fieldMapping.rows.at(-1)).toMatchObject({
    source: { object: 'PERSON', field: budgetCode, label: 'Budget' },
    target: { object: 'CONTACT', field: 'budget', type: 'MONEY' },
    status: 'GREEN',
  });
});

test('every row with an unknown field is refused, each with its place and a way out', async () => {
  const rows = [toPerson('first_name', 'name'), toPerson('email', 'mail'), toPerson('x', 'y')];
  const { errors } = await graph(SAVE, { input: { ...draft(), rows } });

  expect(errors[0].extensions).toMatchObject({ code: 'BAD_USER_INPUT', reason: 'unknown_field' });
  expect(errors[0].extensions.issues).toMatchObject([
    { field: 'input.rows.1.target.field', code: 'unknown_field', fix: expect.any(String) },
    { field: 'input.rows.2.target.field', code: 'unknown_field', fix: expect.any(String) },
  ]);
});

test('every malformed input is named at once', async () => {
  const input = { ...draft(), name: ' ', connectionId: 'cn_1', idempotencyKey: '' };
  const { errors } = await graph(SAVE, { input });

  expect(errors[0].extensions.issues.map(({ field }: { field: string }) => field)).toEqual([
    'input.name',
    'input.connectionId',
    'input.idempotencyKey',
  ]);
});

test('publishing lists each required target that is missing (RF-18)', async () => {
  const { fieldMapping } = await save({ rows: [toPerson('first_name', 'name')] });
  const { errors } = await graph(PUBLISH, { input: { id: fieldMapping.id } });

  expect(fieldMapping.problems).toHaveLength(2);
  expect(errors[0].extensions.reason).toBe('required_target_missing');
  expect(errors[0].extensions.issues).toHaveLength(2);
});

test('a mapping without rows cannot be published, and says how to get some', async () => {
  const { fieldMapping } = await save({ purpose: 'CONTACTS_FROM_PIPEDRIVE', rows: [] });
  const { errors } = await graph(PUBLISH, { input: { id: fieldMapping.id } });

  expect(fieldMapping.problems).toHaveLength(1);
  expect(errors[0].extensions.fix).toContain('suggestRows');
});

test('a text that cannot be stored is refused by the name of its field', async () => {
  const nul = 'a\0b';
  const source = { object: 'CONSTANT', value: { text: nul } };
  const rows = [{ id: nul, source, target: { object: 'PERSON', field: 'name' } }];
  const { errors } = await graph(SAVE, { input: { ...draft(), name: nul, rows } });

  expect(errors[0].extensions.issues.map(({ field }: { field: string }) => field)).toEqual([
    'input.name',
    'input.rows.0.id',
    'input.rows.0.source.value.text',
  ]);
});

test('a connection that was removed empties one field and not the list', async () => {
  const { data } = await graph(
    '{ __type(name: "FieldMapping") { fields { name type { kind } } } }',
  );
  expect(data.__type.fields).toContainEqual({ name: 'connection', type: { kind: 'OBJECT' } });
});

test('a published version never changes, and the next one stands beside it', async () => {
  const { fieldMapping } = await save({});
  await publishIt(fieldMapping.id);
  const first = await getMapping(fieldMapping.id);
  const rows = [...referralRows(), { ...toPerson('company', 'name'), createOnly: true, id: 'x' }];
  const changed = await save({ id: fieldMapping.id, rows });
  expect(changed.fieldMapping).toMatchObject({ state: 'DRAFT', version: 1 });
  expect(await getMapping(fieldMapping.id)).toEqual(first);

  const published = await publishIt(fieldMapping.id);
  const again = await publishIt(fieldMapping.id);

  expect(published).toMatchObject({ state: 'PUBLISHED', version: 2 });
  expect(again.versions.map(({ version }: { version: number }) => version)).toEqual([2, 1]);
  expect(await getMapping(fieldMapping.id, 1)).toEqual(first);
  const rewrite = withWorkspace(db, workspaceId, (tx) =>
    sql`update mapping_version set hash = 'x'`.execute(tx),
  );
  await expect(rewrite).rejects.toThrow('never changes');
});

test('one event tells of each published version, with its hash', async () => {
  const { fieldMapping } = await save({});
  await publishIt(fieldMapping.id);
  await publishIt(fieldMapping.id);

  const events = await withWorkspace(db, workspaceId, (tx) =>
    tx.selectFrom('outbox').select('body').where('key', '=', fieldMapping.id).execute(),
  );
  expect(events).toHaveLength(1);
  expect(events[0]?.body).toMatchObject({
    name: 'field-mapping.mapping_published.v1',
    payload: { version: 1, connectionId, hash: (await getMapping(fieldMapping.id)).hash },
  });
});

test('a mapping that was never published is not given to others', async () => {
  const { fieldMapping } = await save({});

  await expect(getMapping(fieldMapping.id)).rejects.toMatchObject({
    kind: 'precondition',
    detail: { reason: 'mapping_not_published' },
  });
});

test('while connections is down the last known fields serve', async () => {
  const { fieldMapping } = await save({});
  await stopConnections?.();

  const published = await publishIt(fieldMapping.id);
  const elsewhere = { ...draft(), connectionId: newId('cn', ConnectionId) };
  const { errors } = await graph(SAVE, { input: elsewhere });

  expect(published).toMatchObject({ state: 'PUBLISHED', rows: [{ status: 'GREEN' }, {}, {}] });
  expect(errors[0].extensions).toMatchObject({
    code: 'SERVICE_UNAVAILABLE',
    reason: 'service_unavailable',
  });
});

test('a field that disappears in Pipedrive turns its row red, and no other', async () => {
  fields = [...standard, budget];
  const { fieldMapping } = await save({ purpose: 'CONTACTS_FROM_PIPEDRIVE' });
  fields = standard;
  revision += 1;
  await withWorkspace(db, workspaceId, (tx) =>
    publish(tx, FieldsChanged, {
      origin: { workspaceId, actor: { kind: 'service', id: 'connections' }, correlationId: 'c' },
      key: connectionId,
      payload: { connectionId, object: 'person', revision, added: [], changed: [], removed: [] },
      now: now(),
    }),
  );

  await eventually(async () => {
    const { data } = await graph(READ, { id: fieldMapping.id });
    const statuses = data.fieldMapping.rows.map(({ status }: { status: string }) => status);
    expect(statuses).toEqual(['GREEN', 'GREEN', 'GREEN', 'RED']);
    expect(data.fieldMapping.rows.at(-1).cause).toContain(budgetCode);
  });
});

test('repeating a save with its key gives the first mapping', async () => {
  const input = { ...draft(), idempotencyKey: `key-${newId('cn', ConnectionId)}` };
  const first = await graph(SAVE, { input });
  const second = await graph(SAVE, { input });
  const other = await graph(SAVE, { input: { ...input, name: 'Other' } });

  expect(second.data.saveFieldMapping.fieldMapping.id).toBe(
    first.data.saveFieldMapping.fieldMapping.id,
  );
  expect(other.errors[0].extensions.reason).toBe('duplicate_idempotency_key');
});

test('pages follow each other without gap or repeat, in both directions', async () => {
  const names = (answer: { nodes: { name: string }[] }) => answer.nodes.map(({ name }) => name);
  for (const name of ['Z-1', 'Z-2', 'Z-3'])
    await save({ name, purpose: 'CONTACTS_FROM_PIPEDRIVE' });
  const orderBy = { field: 'NAME', direction: 'DESC' };
  const filter = { and: [{ purpose: 'CONTACTS_FROM_PIPEDRIVE' }], not: { state: 'PUBLISHED' } };
  const page = async (paging: object) =>
    (await graph(LIST, { orderBy, filter, ...paging })).data.fieldMappings;

  const first = await page({ first: 2 });
  const second = await page({ first: 2, after: first.pageInfo.endCursor });
  const back = await page({ last: 2, before: second.pageInfo.startCursor });

  expect(names(first).concat(names(second)).slice(0, 3)).toEqual(['Z-3', 'Z-2', 'Z-1']);
  expect(names(back)).toEqual(names(first));
  expect(first.totalCount).toBeGreaterThanOrEqual(3);
  const { errors } = await graph(LIST, { orderBy: null, filter, after: first.pageInfo.endCursor });
  expect(errors[0].extensions.reason).toBe('invalid_input');
});

test('a member reads, an administrator writes', async () => {
  const { fieldMapping } = await save({});
  const { errors } = await graph(SAVE, { input: draft() }, { role: 'MEMBER' });
  const read = await graph(READ, { id: fieldMapping.id }, { role: 'VIEWER' });

  expect(errors[0].extensions).toMatchObject({ code: 'FORBIDDEN', reason: 'role_too_low' });
  expect(read.data.fieldMapping.id).toBe(fieldMapping.id);
});

test('a mapping of another workspace is answered like one that does not exist', async () => {
  const { fieldMapping } = await save({});
  const there = { workspaceId: stranger };
  const missing = fieldMapping.id.replace(/.$/, (last: string) => (last === '0' ? '1' : '0'));
  const publishing = async (id: string) => {
    const { errors } = await graph(PUBLISH, { input: { id } }, there);
    return JSON.stringify(errors[0]).replaceAll(id, 'ID');
  };

  expect((await graph(READ, { id: fieldMapping.id }, there)).data.fieldMapping).toBeNull();
  expect(await publishing(fieldMapping.id)).toBe(await publishing(missing));
  expect((await graph(LIST, {}, there)).data.fieldMappings.totalCount).toBe(0);
});

const draft = () => ({ name: 'Referrals', purpose: 'REFERRALS_TO_PIPEDRIVE', connectionId });

const toPerson = (source: string, field: string) => ({
  source: { object: 'REFERRAL', field: source },
  target: { object: 'PERSON', field },
});
const referralRows = () => [
  toPerson('first_name', 'name'),
  toPerson('email', 'emails'),
  {
    source: { object: 'REFERRAL', field: 'campaign_name' },
    target: { object: 'LEAD', field: 'title' },
  },
];

async function save(changes: object) {
  const { data, errors } = await graph(SAVE, { input: { ...draft(), ...changes } });
  expect(errors).toBeUndefined();
  return data.saveFieldMapping;
}

async function publishIt(id: string) {
  const { data, errors } = await graph(PUBLISH, { input: { id } });
  expect(errors).toBeUndefined();
  return data.publishFieldMapping.fieldMapping;
}

const getMapping = (mappingId: FieldMappingId, version?: number) =>
  ask(nats, GetMapping, { workspaceId, mappingId, version });
