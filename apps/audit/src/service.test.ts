import {
  type Actor,
  ApiKeyId,
  CampaignSaved,
  CampaignId,
  ConnectionEstablished,
  ConnectionId,
  EventId,
  MessageParked,
  RecordChanged,
  subjectOf,
  UserId,
  WebhookReceiptId,
  WorkspaceId,
} from '@manifold/contracts';
import { acrossWorkspaces, newId } from '@manifold/database';
import { consumeInBatches } from '@manifold/messaging';
import {
  createTestDatabase,
  eventually,
  silentLog as log,
  startTestGraph,
  startTestNats,
} from '@manifold/testing';
import { jetstream } from '@nats-io/jetstream';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createBatch } from './ledger/consumers.ts';
import { createResolvers } from './ledger/resolvers.ts';
import { createLoaders } from './loaders.ts';
import { migrations } from './migrations/index.ts';
import type { Tables } from './store.ts';

const service = 'audit';
const { db, ownerDb, drop } = await createTestDatabase<Tables>(migrations);
const { nats, stop: stopNats } = await startTestNats();
const stopConsuming = await consumeInBatches({ db, nats, service, batch: createBatch(), log });
const js = jetstream(nats);

const ours = newId('ws', WorkspaceId);
const theirs = newId('ws', WorkspaceId);
const connectionId = newId('cn', ConnectionId);
const campaignId = newId('cp', CampaignId);
const userId = newId('us', UserId);
const { graph, stop: stopGraph } = await startTestGraph({
  service,
  schemaFiles: [new URL('./ledger/schema.graphql', import.meta.url)],
  resolvers: [createResolvers({ db })],
  loaders: createLoaders(db, nats),
  caller: { workspaceId: ours, userId, role: 'VIEWER' },
});
const apiKeyId = newId('ak', ApiKeyId);
const user: Actor = { kind: 'user', id: userId, apiKeyId };
const pipedrive: Actor = { kind: 'pipedrive', id: '12' };

beforeAll(async () => {
  await publish(ConnectionEstablished.name, established(), { at: '09:00', actor: user });
  await publish(RecordChanged.name, changed('17'), { at: '09:01', actor: pipedrive });
  await publish(RecordChanged.name, changed('18'), { at: '09:02', actor: pipedrive });
  const saved = { campaignId, state: 'OPEN' };
  await publish(CampaignSaved.name, saved, { at: '09:03', actor: user, correlationId: 'chain-1' });
  await publish(MessageParked.contacts.name, parked(), { at: '09:04' });
  await publish(RecordChanged.name, changed('17'), { at: '09:05', workspaceId: theirs });
  await eventually(async () => expect(await countRows()).toBe(6), { timeoutMs: 10_000 });
});

afterAll(async () => {
  await stopConsuming();
  await stopGraph();
  await stopNats();
  await drop();
});

describe('the ledger', () => {
  test('holds one entry per event, newest first, and only of the own workspace', async () => {
    const { nodes, totalCount } = await list();

    expect(nodes.map(({ action }: { action: string }) => action)).toEqual([
      'contacts.message_parked',
      'referrals.campaign_saved',
      'connections.record_changed',
      'connections.record_changed',
      'connections.connection_established',
    ]);
    expect(totalCount).toBe(5);
  });

  test('an event that comes twice stays one entry', async () => {
    const again = { at: '10:00', id: newId('ev', EventId) };
    await publish(RecordChanged.name, changed('99'), again);
    await publish(RecordChanged.name, changed('99'), { ...again, msgID: 'other' });
    await publish(RecordChanged.name, changed('100'), { at: '10:01' });

    const filter = 'filter: { record: { pipedriveId: "100" } }';
    await eventually(async () => expect((await list(filter)).totalCount).toBe(1));
    expect((await list('filter: { record: { pipedriveId: "99" } }')).totalCount).toBe(1);
  });

  test.each([
    ['service', '{ service: "connections", to: "2026-03-01T09:30:00Z" }', 3],
    ['action', '{ action: "referrals.campaign_saved" }', 1],
    ['outcome', '{ outcome: PARKED }', 1],
    ['actor', () => `{ actorId: "${userId}" }`, 2],
    ['key', () => `{ actorApiKeyId: "${apiKeyId}" }`, 2],
    ['target', () => `{ target: { type: "Campaign", id: "${campaignId}" } }`, 1],
    [
      'record',
      () => `{ record: { connectionId: "${connectionId}", object: PERSON, pipedriveId: "17" } }`,
      1,
    ],
    ['correlation', '{ correlationId: "chain-1" }', 1],
    ['time', '{ from: "2026-03-01T09:01:00Z", to: "2026-03-01T09:03:00Z" }', 2],
    [
      'anything that concerns a thing',
      () => `{ about: "${connectionId}", to: "2026-03-01T09:30:00Z" }`,
      3,
    ],
    ['or', '{ or: [{ outcome: PARKED }, { correlationId: "chain-1" }] }', 2],
    ['and', '{ and: [{ service: "connections" }, { record: { pipedriveId: "18" } }] }', 1],
    [
      'not, where an absent value counts as different',
      '{ not: { record: { object: PERSON } } }',
      3,
    ],
  ])('is searched by %s', async (_, filter, found) => {
    const text = typeof filter === 'string' ? filter : filter();
    expect((await list(`filter: ${text}`)).totalCount).toBe(found);
  });

  test('a filter nested without end is refused', async () => {
    const deep = `${'{ not: '.repeat(7)}{ service: "x" }${' }'.repeat(7)}`;
    const { errors } = await graph(`{ auditEntries(filter: ${deep}) { totalCount } }`);

    expect(errors[0].extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      reason: 'too_many_items',
    });
  });

  test('is paged in both directions without gaps', async () => {
    const until = 'filter: { to: "2026-03-01T09:30:00Z" }';
    const one = await list(`${until}, first: 2`);
    const two = await list(`${until}, first: 2, after: "${one.pageInfo.endCursor}"`);
    const back = await list(`${until}, last: 2, before: "${two.pageInfo.startCursor}"`);
    const oldest = await list(
      `${until}, first: 1, orderBy: { field: OCCURRED_AT, direction: ASC }`,
    );

    const ids = ({ nodes }: { nodes: { id: string }[] }) => nodes.map(({ id }) => id);
    expect(new Set([...ids(one), ...ids(two)]).size).toBe(4);
    expect(ids(back)).toEqual(ids(one));
    expect(oldest.nodes[0].action).toBe('connections.connection_established');
  });

  test('says who did it, and through which key', async () => {
    const { data } = await graph(`{ auditEntries(first: 2, filter: { to: "2026-03-01T09:04:00Z" }) {
      nodes { actor { kind id apiKeyId apiKey { id } } } } }`);
    expect(data.auditEntries.nodes).toEqual([
      { actor: { kind: 'USER', id: userId, apiKeyId, apiKey: { id: apiKeyId } } },
      { actor: { kind: 'PIPEDRIVE', id: '12', apiKeyId: null, apiKey: null } },
    ]);
  });

  test('keeps what a later release tells in words this one does not know', async () => {
    const newer = { ...changed('5'), object: 'call', action: 'answered' };
    const actor = { kind: 'robot', id: 'r2' };
    await publish(RecordChanged.name, newer, { at: '09:45', actor, correlationId: 'newer' });

    const text = `{ auditEntries(filter: { correlationId: "newer" }) {
      nodes { outcome actor { kind id } target { id } record { pipedriveId } } } }`;
    await eventually(async () =>
      expect((await graph(text)).data.auditEntries.nodes).toEqual([
        {
          ...{ outcome: 'SUCCEEDED', record: null, target: { id: 'unknown:5' } },
          actor: { kind: 'UNKNOWN', id: 'r2' },
        },
      ]),
    );
  });

  test('what nobody could process is seen as an entry with its reason', async () => {
    const { nodes } = await list('filter: { action: "contacts.message_parked" }');
    expect(nodes[0]).toMatchObject({
      outcome: 'PARKED',
      reason: 'handler_failed',
      service: 'contacts',
    });
  });
});

describe('things of other services', () => {
  test('that are gone empty one field and not the list', async () => {
    const { data } = await graph(
      '{ __type(name: "AuditRecord") { fields { name type { kind } } } }',
    );
    expect(data.__type.fields).toContainEqual({ name: 'connection', type: { kind: 'OBJECT' } });
  });

  test('show what happened to them, newest first and bounded', async () => {
    const text = `query ($r: [_Any!]!) { _entities(representations: $r) {
      ... on Connection { id audit(first: 2) { action occurredAt record { pipedriveId } } } } }`;
    const representations = [connectionId, newId('cn', ConnectionId)].map((id) => ({
      __typename: 'Connection',
      id,
    }));

    const { data } = await graph(text, { r: representations });

    expect(data._entities[0].audit).toHaveLength(2);
    expect(data._entities[0].audit[0].record.pipedriveId).toBe('100');
    expect(data._entities[1].audit).toEqual([]);
  });

  test('an entry of another workspace is answered like one that never was', async () => {
    const foreign = await acrossWorkspaces(db, (tx) =>
      tx
        .selectFrom('audit_entry')
        .select('id')
        .where('workspace_id', '=', theirs)
        .executeTakeFirstOrThrow(),
    );
    const text = (id: string) => `{ auditEntry(id: "${id}") { id } }`;

    expect(await graph(text(foreign.id))).toEqual(await graph(text(`au_${'0'.repeat(32)}`)));
    expect((await graph(text(foreign.id))).data.auditEntry).toBeNull();
    expect((await list(`filter: { about: "${connectionId}" }`)).nodes).not.toContainEqual(
      expect.objectContaining({ id: foreign.id }),
    );
  });
});

describe('what was written stays', () => {
  test.each([
    ["update audit_entry set outcome = 'succeeded'"],
    ['delete from audit_entry'],
    ['delete from audit_subject where false'],
  ])('%s is refused to the service and to the owner of the table', async (statement) => {
    for (const role of [db, ownerDb]) {
      await expect(acrossWorkspaces(role, (tx) => sql.raw(statement).execute(tx))).rejects.toThrow(
        'The ledger only grows',
      );
    }
  });

  test('emptying the table is refused as well', async () => {
    await expect(sql`truncate audit_entry`.execute(ownerDb)).rejects.toThrow('only grows');
  });
});

function established() {
  return { connectionId, companyId: '1', kind: 'ORGANIZATION', method: 'OAUTH', renewed: false };
}
const changed = (pipedriveId: string) => ({
  connectionId,
  receiptId: newId('wh', WebhookReceiptId),
  object: 'person',
  pipedriveId,
  action: 'updated',
  changedKeys: ['name'],
  revision: 1,
  origin: 'pipedrive',
});
const parked = () => ({
  messageId: newId('ev', EventId),
  messageName: RecordChanged.name,
  reason: 'handler_failed',
  attempts: 5,
});

interface Published {
  at: string;
  actor?: Omit<Actor, 'kind'> & { kind: string };
  workspaceId?: WorkspaceId;
  correlationId?: string;
  id?: EventId;
  msgID?: string;
}

async function publish(name: string, payload: object, published: Published) {
  const { at, actor = { kind: 'service', id: 'test' }, workspaceId = ours } = published;
  const { correlationId = 'c-1', id = newId('ev', EventId), msgID = id } = published;
  const occurredAt = `2026-03-01T${at}:00.000Z`;
  const envelope = { id, name, workspaceId, occurredAt, actor, correlationId, payload };
  const body = JSON.stringify(envelope);
  await eventually(() => js.publish(subjectOf(name, workspaceId), body, { msgID }));
}

const countRows = () =>
  acrossWorkspaces(
    db,
    async (tx) => (await tx.selectFrom('audit_entry').select('id').execute()).length,
  );

async function list(args = '') {
  const text = `{ auditEntries${args && `(${args})`} { totalCount
    nodes { id action service outcome reason } pageInfo { startCursor endCursor } } }`;
  const { data, errors } = await graph(text);
  expect(errors).toBeUndefined();
  return data.auditEntries;
}
