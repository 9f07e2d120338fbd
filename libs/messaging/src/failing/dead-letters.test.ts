import {
  CampaignSaved,
  EventId,
  listDeadLettersOf,
  MessageDiscarded,
  MessageReplayed,
  replayDeadLettersOf,
  WorkspaceId,
} from '@manifold/contracts';
import { newId, withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { createTestDatabase, eventually, silentLog as log, startTestNats } from '@manifold/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { consume } from '../consuming/consume.ts';
import { findDeadLetters, listDeadLetters } from './dead-letter-list.ts';
import { discardDeadLetters, replayDeadLetters } from './dead-letters.ts';
import {
  migrations,
  newCampaign,
  note,
  notesOf,
  origin,
  type Tables,
  workspaceId,
} from '../fixtures/notes.ts';
import { createSender } from '../fixtures/sending.ts';
import { on } from '../consuming/handler.ts';
import { ask } from '../asking/requests.ts';
import { ensureStream } from '../streams/streams.ts';

const service = 'contacts';
const { db, drop } = await createTestDatabase<Tables>(migrations);
const { nats, stop: stopNats } = await startTestNats();
const { send } = createSender(nats, service);
const { actor } = origin;

/** Nothing can be handled while this is true. */
let broken = true;
const handler = on<Tables, typeof CampaignSaved>(
  CampaignSaved,
  async (tx, { payload }) => {
    if (broken) throw new Refusal('invalid', 'cannot be handled', { reason: 'invalid_input' });
    await note(tx, payload.campaignId, payload.state);
  },
  { keyOf: ({ payload }) => payload.campaignId },
);
let stop = async () => {};

beforeAll(async () => {
  await ensureStream(nats, 'referrals');
  stop = await consume({ db, nats, service, handlers: [handler], log });
});
beforeEach(() => {
  broken = true;
});
afterAll(async () => {
  await stop();
  await stopNats();
  await drop();
});

test('a dead letter replayed is handled once and is none any more, however often it is asked for', async () => {
  const campaign = newCampaign();
  const messageId = await parked(campaign);
  broken = false;
  const question = { workspaceId, messageId, actor, correlationId: 'test' };
  const replay = () => ask(nats, replayDeadLettersOf(service), question);

  const answers = await Promise.all([replay(), replay(), replay()]);

  expect(answers.flatMap(({ messageIds }) => messageIds)).toEqual([messageId]);
  await eventually(async () => expect(await notesOf(db, campaign)).toEqual(['OPEN']));
  expect(await replay()).toEqual({ messageIds: [], more: false });
  expect(await listDeadLetters(db, workspaceId, [messageId])).toEqual([]);
  expect(await announced(messageId)).toMatchObject({ actor, payload: { messageId } });
  expect(await notesOf(db, campaign)).toEqual(['OPEN']);
});

test('a dead letter replayed is not overtaken by the next event of its key', async () => {
  const campaign = newCampaign();
  const messageId = await parked(campaign);
  await replayDeadLetters(db, service, {
    ...{ workspaceId, messageId, actor, correlationId: 'test', now: new Date() },
  });
  broken = false;
  await send(campaign, 'PAUSED');

  await eventually(async () => expect(await notesOf(db, campaign)).toHaveLength(2));
  expect(await notesOf(db, campaign)).toEqual(['OPEN', 'PAUSED']);
});

test('a dead letter that fails again is one again, and announced again', async () => {
  const campaign = newCampaign();
  const messageId = await parked(campaign);
  const { messageIds } = await replayDeadLetters(db, service, {
    ...{ workspaceId, messageId, actor, correlationId: 'test', now: new Date() },
  });

  expect(messageIds).toEqual([messageId]);
  await eventually(async () =>
    expect(await listDeadLetters(db, workspaceId, [messageId])).toEqual([messageId]),
  );
  expect(await notesOf(db, campaign)).toEqual([]);
});

test('all dead letters of a workspace are replayed, oldest first', async () => {
  const campaigns = Array.from({ length: 3 }, newCampaign);
  const ids: string[] = [];
  for (const campaign of campaigns) ids.push(await parked(campaign));
  broken = false;
  const { messageIds, more } = await replayDeadLetters(db, service, {
    ...{ workspaceId, actor, correlationId: 'test', now: new Date() },
  });

  expect(messageIds.filter((id) => ids.includes(id))).toEqual(ids);
  expect(more).toBe(false);
  for (const campaign of campaigns) {
    await eventually(async () => expect(await notesOf(db, campaign)).toEqual(['OPEN']));
  }
});

test('only the dead letters that fit are found and replayed, and no more than asked for', async () => {
  const ids: EventId[] = [];
  for (let n = 0; n < 3; n += 1) ids.push(await parked(newCampaign()));
  const of = (filter: Parameters<typeof findDeadLetters>[2]['filter']) =>
    findDeadLetters(db, workspaceId, { filter, limit: 2 });

  const found = await of({ messageIds: ids, reason: 'handler_failed' });
  expect(found.total).toBe(3);
  expect(found.letters.map(({ messageId }) => messageId)).toEqual(ids.slice(0, 2));
  expect(found.letters[0]).toMatchObject({ messageName: CampaignSaved.name, attempts: 1 });
  for (const other of [
    { reason: 'message_unreadable' },
    { messageName: 'contacts.sync_started.v1' },
    { parkedBefore: '2026-01-01T00:00:00Z' },
  ]) {
    expect((await of({ messageIds: ids, ...other })).total).toBe(0);
  }

  broken = false;
  const asked = { workspaceId, actor, correlationId: 'test', now: new Date() };
  const filter = { messageIds: ids };
  const replayed = await replayDeadLetters(db, service, { ...asked, filter, limit: 2 });
  expect(replayed).toEqual({ messageIds: ids.slice(0, 2), more: true });
  expect(await listDeadLetters(db, workspaceId, ids)).toEqual(ids.slice(2));
});

test('a dead letter discarded is gone, is announced, and is not handled when it comes again', async () => {
  const campaign = newCampaign();
  const messageId = await parked(campaign);
  broken = false;
  const asked = { workspaceId, actor, correlationId: 'test', now: new Date() };
  const discard = () => discardDeadLetters(db, service, { ...asked, messageIds: [messageId] });

  expect(await discard()).toEqual({ messageIds: [messageId], more: false });
  expect(await discard()).toEqual({ messageIds: [], more: false });
  expect(await announced(messageId, MessageDiscarded[service].name)).toMatchObject({ actor });
  await send(campaign, 'OPEN', { id: messageId, msgID: newId('ev', EventId) });
  await send(campaign, 'PAUSED');
  await eventually(async () => expect(await notesOf(db, campaign)).toEqual(['PAUSED']));
});

test('another workspace neither sees nor replays a dead letter', async () => {
  const messageId = await parked(newCampaign());
  const stranger = newId('ws', WorkspaceId);
  const question = { workspaceId: stranger, messageIds: [messageId] };

  expect(await ask(nats, listDeadLettersOf(service), question)).toEqual({ messageIds: [] });
  expect(
    await replayDeadLetters(db, service, {
      ...{ workspaceId: stranger, messageId, actor, correlationId: 'test', now: new Date() },
    }),
  ).toEqual({ messageIds: [], more: false });
  expect(
    await discardDeadLetters(db, service, {
      ...{ workspaceId: stranger, messageIds: [messageId], actor, correlationId: 'test' },
      now: new Date(),
    }),
  ).toEqual({ messageIds: [], more: false });
  const filter = { messageIds: [messageId] };
  expect(await findDeadLetters(db, stranger, { filter, limit: 1 })).toEqual({
    ...{ letters: [], total: 0 },
  });
  expect(await listDeadLetters(db, workspaceId, [messageId])).toEqual([messageId]);
});

/** An event that could not be handled, until it is a dead letter. */
async function parked(campaign: ReturnType<typeof newCampaign>): Promise<EventId> {
  const id = await send(campaign, 'OPEN');
  await eventually(async () => expect(await listDeadLetters(db, workspaceId, [id])).toEqual([id]));
  return id;
}

const announced = (messageId: string, name: string = MessageReplayed[service].name) =>
  withWorkspace(db, workspaceId, async (tx) => {
    const query = tx.selectFrom('outbox').select('body').where('key', '=', messageId);
    const { body } = await query.where('name', '=', name).executeTakeFirstOrThrow();
    return body;
  });
