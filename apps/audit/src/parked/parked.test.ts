import {
  AuditEntryId,
  EventId,
  listDeadLettersOf,
  replayDeadLettersOf,
  WorkspaceId,
} from '@manifold/contracts';
import { newId, withWorkspace } from '@manifold/database';
import { respondTo, serveRequests } from '@manifold/messaging';
import {
  createTestDatabase,
  silentLog as log,
  startTestGraph,
  startTestNats,
} from '@manifold/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createResolvers } from '../ledger/resolvers.ts';
import { insertLines } from '../ledger/store.ts';
import { createLoaders } from '../loaders.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';
import { createParkedResolvers } from './resolvers.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const { nats, stop: stopNats } = await startTestNats();
const ours = newId('ws', WorkspaceId);
const {
  graph,
  caller,
  stop: stopGraph,
} = await startTestGraph({
  service: 'audit',
  schemaFiles: [
    new URL('../ledger/schema.graphql', import.meta.url),
    new URL('./schema.graphql', import.meta.url),
  ],
  resolvers: [createResolvers({ db }), createParkedResolvers({ nats })],
  loaders: createLoaders(db, nats),
  caller: { workspaceId: ours, role: 'ADMIN' },
});

const parked = newId('ev', EventId);
/** What contacts was asked to replay, and what it keeps. */
const asked: unknown[] = [];
let kept = [parked];
const stopContacts = serveRequests({
  ...{ nats, service: 'contacts', log },
  responders: [
    respondTo(replayDeadLettersOf('contacts'), async (question) => {
      asked.push(question);
      const messageIds = kept.filter((id) => id === question.messageId);
      kept = kept.filter((id) => id !== question.messageId);
      return { messageIds, more: false };
    }),
    respondTo(listDeadLettersOf('contacts'), async ({ messageIds }) => ({
      messageIds: messageIds.filter((id) => kept.includes(id)),
    })),
  ],
});

const entries = {
  parked: makeEntry('contacts.message_parked', parked),
  done: makeEntry('contacts.message_parked', newId('ev', EventId)),
  away: makeEntry('referrals.message_parked', newId('ev', EventId)),
  webhook: makeEntry('connections.message_parked', `wh_${'0'.repeat(32)}`),
  other: makeEntry('contacts.sync_started', 'sr_1'),
};

beforeAll(() =>
  withWorkspace(db, ours, (tx) =>
    insertLines(
      tx,
      Object.values(entries).map((entry) => ({ entry, subjects: [entry.target_id] })),
    ),
  ),
);
afterAll(async () => {
  await stopContacts();
  await stopGraph();
  await stopNats();
  await drop();
});

test('an entry tells whether its message is parked still, or that nobody knows', async () => {
  expect(await stillParked()).toEqual({
    parked: true,
    done: false,
    away: null,
    webhook: false,
    other: null,
  });
});

describe('replaying a parked message', () => {
  test('needs the role ADMIN', async () => {
    const { errors } = await replay(entries.parked.id, { role: 'MEMBER' });
    expect(errors[0].extensions).toMatchObject({ code: 'FORBIDDEN', reason: 'role_too_low' });
    expect(asked).toEqual([]);
  });

  test('asks the service that keeps it, on behalf of the caller; a repeat changes nothing', async () => {
    expect((await replay(entries.parked.id)).data.replayParkedMessage).toEqual({
      auditEntry: { id: entries.parked.id, stillParked: false },
      replayed: true,
    });
    expect((await replay(entries.parked.id)).data.replayParkedMessage.replayed).toBe(false);
    expect(asked[0]).toMatchObject({
      workspaceId: ours,
      messageId: parked,
      actor: { kind: 'user', id: caller.userId },
    });
  });

  test.each([
    ['an entry of something else', () => entries.other.id, 'message_unknown'],
    ['a webhook, which is not kept', () => entries.webhook.id, 'message_unknown'],
    ['an entry nobody has', () => `au_${'0'.repeat(32)}`, 'record_not_found'],
    ['a service that is away', () => entries.away.id, 'service_unavailable'],
  ])('is refused for %s', async (_, id, reason) => {
    const { errors } = await replay(id());
    expect(errors[0].extensions).toMatchObject({ reason });
  });

  test('is refused in another workspace', async () => {
    const stranger = { workspaceId: newId('ws', WorkspaceId) };
    const { errors } = await replay(entries.parked.id, stranger);
    expect(errors[0].extensions).toMatchObject({ code: 'NOT_FOUND' });
  });
});

const replay = (id: string, who: Parameters<typeof graph>[2] = {}) =>
  graph(
    `mutation ($input: ReplayParkedMessageInput!) { replayParkedMessage(input: $input) {
      replayed auditEntry { id stillParked } } }`,
    { input: { auditEntryId: id } },
    who,
  );

async function stillParked() {
  const { data } = await graph('{ auditEntries { nodes { id stillParked } } }');
  const byId = new Map(
    data.auditEntries.nodes.map((node: { id: string; stillParked: boolean | null }) => [
      node.id,
      node.stillParked,
    ]),
  );
  return Object.fromEntries(Object.entries(entries).map(([name, { id }]) => [name, byId.get(id)]));
}

function makeEntry(action: string, target_id: string) {
  const event_id = newId('ev', EventId);
  return {
    ...{ workspace_id: ours, event_id, id: AuditEntryId.parse(`au_${event_id.slice(3)}`) },
    ...{ occurred_at: new Date('2026-03-01'), service: action.split('.')[0] ?? '', action },
    ...{
      actor_kind: 'service' as const,
      actor_id: 'test',
      actor_api_key_id: null,
      target_type: 'Message',
      target_id,
    },
    ...{ outcome: 'parked' as const, reason: 'handler_failed', cost_tokens: null },
    ...{ connection_id: null, object: null, pipedrive_id: null },
    ...{ correlation_id: 'c', causation_id: null },
  };
}
