import { CampaignId, CampaignSaved, EventId, WorkspaceId } from '@manifold/contracts';
import { acrossWorkspaces, newId, withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { consume, on } from '@manifold/messaging';
import {
  createTestDatabase,
  eventually,
  silentLog as log,
  startTestGraph,
  startTestNats,
} from '@manifold/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createResolvers } from '../ledger/resolvers.ts';
import { createLoaders } from '../loaders.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';
import { createParkedResolvers } from './resolvers.ts';

/** Two services that keep messages; field-mapping and audit do not run. */
const [contacts, referrals] = await Promise.all([
  createTestDatabase<Tables>(migrations),
  createTestDatabase<Tables>(migrations),
]);
const { nats, stop: stopNats } = await startTestNats();
const ours = newId('ws', WorkspaceId);
const theirs = newId('ws', WorkspaceId);
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
  resolvers: [createResolvers(contacts), createParkedResolvers({ nats })],
  loaders: createLoaders(contacts.db, nats),
  caller: { workspaceId: ours, role: 'ADMIN' },
});

/** Messages that fail again whatever is done. */
const hopeless = new Set<string>();
const handled: string[] = [];
const handler = on<Tables, typeof CampaignSaved>(CampaignSaved, async (_, { id }) => {
  if (hopeless.has(id)) throw new Refusal('invalid', 'no', { reason: 'invalid_input' });
  handled.push(id);
});
const stops: (() => Promise<void>)[] = [];

beforeAll(async () => {
  for (const [service, { db }] of [
    ['contacts', contacts],
    ['referrals', referrals],
  ] as const) {
    stops.push(await consume({ db, nats, service, handlers: [handler], log }));
  }
});
afterAll(async () => {
  for (const stop of stops) await stop();
  await stopGraph();
  await stopNats();
  await Promise.all([contacts.drop(), referrals.drop()]);
});

test('parked messages of all services are listed, oldest first, and who did not answer is named', async () => {
  const one = await keep(contacts, { at: '09:00' });
  const two = await keep(referrals, { at: '08:00', reason: 'message_unreadable' });
  await keep(contacts, { at: '07:00', workspaceId: theirs });

  const { data } = await list('{ messageIds: [$one, $two] }', { one, two });
  expect(data.parkedMessages).toMatchObject({
    nodes: [
      { service: 'referrals', messageId: two, reason: 'message_unreadable' },
      { service: 'contacts', messageId: one, messageName: CampaignSaved.name, attempts: 5 },
    ],
    totalCount: 2,
    unanswered: ['audit', 'field-mapping'],
  });
  for (const filter of [
    '{ messageIds: [$one, $two], service: "contacts" }',
    '{ messageIds: [$one, $two], reason: "handler_failed" }',
    '{ messageIds: [$one, $two], service: "contacts", parkedBefore: "2026-03-01T09:00:01Z" }',
  ]) {
    const { totalCount, nodes } = (await list(filter, { one, two })).data.parkedMessages;
    expect([totalCount, nodes[0].messageId]).toEqual([1, one]);
  }
  const stranger = { workspaceId: newId('ws', WorkspaceId) };
  const foreign = await list('{ messageIds: [$one, $two] }', { one, two }, stranger);
  expect(foreign.data.parkedMessages).toMatchObject({ nodes: [], totalCount: 0 });
});

test('all that fit are replayed once, in portions; what fails again is parked again', async () => {
  const parked: string[] = [];
  for (let n = 0; n < 130; n += 1) parked.push(await keep(contacts, { reason: 'handler_failed' }));
  const lost = await keep(contacts, { reason: 'handler_failed' });
  hopeless.add(lost);

  const filter = { service: 'contacts', reason: 'handler_failed' };
  const some = await replay({ filter: { ...filter, messageIds: parked.slice(0, 3) }, first: 2 });
  expect(some).toMatchObject({ messageIds: parked.slice(0, 2), remaining: 1, unanswered: [] });

  const all = await replay({ filter, first: 500 });
  expect(all.messageIds).toEqual(expect.arrayContaining([...parked.slice(2), lost]));
  expect(new Set(all.messageIds).size).toBe(all.messageIds.length);
  await eventually(() => expect(handled).toEqual(expect.arrayContaining(parked)), {
    timeoutMs: 10_000,
  });
  await eventually(async () => {
    const { data } = await list('{ service: "contacts", reason: "handler_failed" }');
    expect(data.parkedMessages).toMatchObject({ nodes: [{ messageId: lost }], totalCount: 1 });
  });
});

test('what is discarded is gone from its service, on behalf of the caller', async () => {
  const gone = await keep(referrals, {});
  const foreign = await keep(referrals, { workspaceId: theirs });

  const answer = await discard([gone, foreign]);
  expect(answer.data.discardParkedMessages).toEqual({
    messageIds: [gone],
    unanswered: ['audit', 'field-mapping'],
  });
  expect((await discard([gone])).data.discardParkedMessages.messageIds).toEqual([]);
  const told = await acrossWorkspaces(referrals.db, (tx) =>
    tx.selectFrom('outbox').select(['name', 'body']).where('key', '=', gone).execute(),
  );
  expect(told).toMatchObject([
    { name: 'referrals.message_discarded.v1', body: { actor: { id: caller.userId } } },
  ]);
});

test('to replay and to discard needs the role ADMIN', async () => {
  const member = { role: 'MEMBER' } as const;
  const answers = [
    await graph(replayText, { input: { filter: {} } }, member),
    await discard([newId('ev', EventId)], member),
  ];
  for (const { errors } of answers) {
    expect(errors[0].extensions).toMatchObject({ code: 'FORBIDDEN', reason: 'role_too_low' });
  }
});

test.each([
  ['a service that keeps none', '{ service: "connections" }', 'filter.service'],
  ['no messages at all', '{ messageIds: [] }', 'filter.messageIds'],
  ['what is no message', '{ messageIds: ["ev_1"] }', 'filter.messageIds.0'],
])('%s is refused with the field at fault', async (_, filter, field) => {
  const { errors } = await graph(`{ parkedMessages(filter: ${filter}) { totalCount } }`);
  expect(errors[0].extensions).toMatchObject({ code: 'BAD_USER_INPUT', field });
});

const list = (filter: string, variables: object = {}, who: Parameters<typeof graph>[2] = {}) => {
  const names = Object.keys(variables).map((name) => `$${name}: ID!`);
  const head = names.length === 0 ? 'query' : `query (${names.join()})`;
  const text = `${head} { parkedMessages(filter: ${filter}) { totalCount unanswered
    nodes { service messageId messageName reason attempts parkedAt } } }`;
  return graph(text, variables, who);
};

const replayText = `mutation ($input: ReplayParkedMessagesInput!) {
  replayParkedMessages(input: $input) { messageIds remaining unanswered } }`;
const replay = async (input: object) =>
  (await graph(replayText, { input })).data.replayParkedMessages;

const discard = (messageIds: readonly string[], who: Parameters<typeof graph>[2] = {}) =>
  graph(
    `mutation ($input: DiscardParkedMessagesInput!) {
      discardParkedMessages(input: $input) { messageIds unanswered } }`,
    { input: { messageIds } },
    who,
  );

/** A message of a service that it has given up on. */
async function keep(
  { db }: Pick<typeof contacts, 'db'>,
  {
    at = '10:00',
    reason = 'handler_failed',
    workspaceId = ours,
  }: { at?: string; reason?: string; workspaceId?: WorkspaceId },
): Promise<EventId> {
  const [id, campaignId] = [newId('ev', EventId), newId('cp', CampaignId)];
  const created_at = new Date(`2026-03-01T${at}:00Z`);
  const body = {
    ...{ id, name: CampaignSaved.name, workspaceId, occurredAt: created_at.toISOString() },
    ...{ actor: { kind: 'service', id: 'referrals' }, correlationId: 'test' },
    payload: { campaignId, state: 'OPEN' },
  };
  await withWorkspace(db, workspaceId, async (tx) => {
    await tx.insertInto('inbox').values({ event_id: id, workspace_id: workspaceId }).execute();
    await tx
      .insertInto('dead_letter')
      .values({
        ...{ message_id: id, workspace_id: workspaceId, name: CampaignSaved.name, reason },
        ...{ key: `${workspaceId}|${id}`, cause: 'Error', attempts: 5, created_at },
        body: JSON.stringify(body),
      })
      .execute();
  });
  return id;
}
