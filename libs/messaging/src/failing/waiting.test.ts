import { CampaignSaved, EventId, MessageParked, WorkspaceId } from '@manifold/contracts';
import { acrossWorkspaces, newId, withWorkspace } from '@manifold/database';
import { createTestDatabase, eventually, silentLog as log } from '@manifold/testing';
import { sql } from 'kysely';
import type { JsMsg } from '@nats-io/jetstream';
import { Readable } from 'node:stream';
import { afterAll, afterEach, expect, test } from 'vitest';
import { migrations, newCampaign, note, type Tables, workspaceId } from '../fixtures/notes.ts';
import { park } from '../consuming/handle.ts';
import { type Handler, on } from '../consuming/handler.ts';
import { settleInSeries } from '../consuming/in-series.ts';
import { retryWaiting } from './waiting.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const service = 'contacts';
let stop = async () => {};
afterEach(() => stop());
afterAll(drop);

test('what waits behind a mended event is done without pauses, in its order', async () => {
  const campaign = newCampaign();
  const ids = Array.from({ length: 60 }, () => envelopeOf(campaign));
  await keep(ids, campaign);
  const done: string[] = [];
  start(
    on(CampaignSaved, async (_, { id }) => void done.push(id), {
      keyOf: ({ payload }) => payload.campaignId,
    }),
  );

  // at one look per event this takes half a minute
  await eventually(() => expect(done).toEqual(ids.map(({ id }) => id)), { timeoutMs: 8_000 });
});

test('events that wait are tried as fast as they are done, not eight at each look', async () => {
  const envelopes = Array.from({ length: 200 }, () => envelopeOf(newCampaign()));
  for (const envelope of envelopes) await keep([envelope], envelope.payload.campaignId);
  const done = new Set<string>();
  start(on(CampaignSaved, async (_, { id }) => void done.add(id)));

  await eventually(() => expect(done.size).toBe(200), { timeoutMs: 8_000 });
});

test('the trouble of one workspace takes half of the places, so another is tried', async () => {
  const other = newId('ws', WorkspaceId);
  for (let n = 0; n < 20; n += 1) {
    const campaign = newCampaign();
    await keep([envelopeOf(campaign)], campaign);
  }
  const theirs = newCampaign();
  await keep([envelopeOf(theirs, other)], theirs);
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const done: string[] = [];
  const stuck: Handler<Tables> = {
    eventName: CampaignSaved.name,
    keyOf: ({ id }) => id,
    prepare: async (event) => {
      const { workspaceId: of } = CampaignSaved.envelope.parse(event);
      if (of === workspaceId) await released;
      return async () => void done.push(of);
    },
  };
  start(stuck);

  await eventually(() => expect(done).toEqual([other]));
  release();
  await eventually(() => expect(done).toHaveLength(21), { timeoutMs: 8_000 });
});

test('events of one workspace whose handling is stuck let those of another pass', async () => {
  const other = newId('ws', WorkspaceId);
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const done: string[] = [];
  const stuck: Handler<Tables> = {
    eventName: CampaignSaved.name,
    keyOf: ({ id }) => id,
    prepare: async (event) => {
      const { workspaceId: of } = CampaignSaved.envelope.parse(event);
      if (of === workspaceId) await released;
      return async () => void done.push(of);
    },
  };
  const envelopes = Array.from({ length: 30 }, () => envelopeOf(newCampaign()));
  const messages = [...envelopes, envelopeOf(newCampaign(), other)].map(messageOf);
  const stopping = new AbortController().signal;
  const handlers = new Map([[stuck.eventName, stuck]]);
  const settled = settleInSeries({ db, service, handlers, log, stopping }, Readable.from(messages));

  await eventually(() => expect(done).toEqual([other]));
  release();
  await settled;
  expect(done).toHaveLength(31);
});

test('a stream that breaks off is left only when what is in hand is done', async () => {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const told: string[] = [];
  const slow = on<Tables, typeof CampaignSaved>(CampaignSaved, async () => {
    told.push('begun');
    await released;
    told.push('done');
  });
  async function* brokenOff() {
    yield messageOf(envelopeOf(newCampaign()));
    await eventually(() => expect(told).toEqual(['begun']));
    told.push('broken off');
    throw new Error('consumer deleted');
  }
  const stopping = new AbortController().signal;
  const handlers = new Map([[slow.eventName, slow]]);
  const settling = settleInSeries({ db, service, handlers, log, stopping }, brokenOff()).catch(
    () => void told.push('left'),
  );

  await eventually(() => expect(told).toContain('broken off'));
  await new Promise(setImmediate);
  release();
  await settling;
  expect(told).toEqual(['begun', 'broken off', 'done', 'left']);
});

test('an event that nothing can read any more is parked, and those behind it are done', async () => {
  const campaign = newCampaign();
  const [first, second] = [envelopeOf(campaign), envelopeOf(campaign)];
  await keep([first, second], campaign);
  await acrossWorkspaces(db, (tx) =>
    tx
      .updateTable('inbox_waiting')
      .set({ body: JSON.stringify({ of: 'a later release' }) })
      .where('event_id', '=', first.id)
      .execute(),
  );
  const done: string[] = [];
  start(on(CampaignSaved, async (_, { id }) => void done.push(id)));

  await eventually(() => expect(done).toEqual([second.id]));
  const letter = await acrossWorkspaces(db, (tx) =>
    tx.selectFrom('dead_letter').selectAll().where('message_id', '=', first.id).execute(),
  );
  expect(letter).toMatchObject([
    { reason: 'message_unreadable', attempts: 1, body: { of: 'a later release' } },
  ]);
  expect(await saidParked(first.id)).toHaveLength(1);
});

test('that its own announcement was parked is not announced, or there would be no end of it', async () => {
  const [event, messageId] = [newId('ev', EventId), newId('ev', EventId)];
  const announcement = MessageParked.contacts.envelope.parse({
    ...{ id: event, name: MessageParked.contacts.name, workspaceId },
    ...{ occurredAt: '2026-03-01T00:00:00Z', correlationId: 'test' },
    actor: { kind: 'service', id: service },
    payload: { messageId, messageName: 'x', reason: 'handler_failed', attempts: 5 },
  });
  const received = { event: announcement, key: event, body: JSON.stringify(announcement) };
  await park({ db, service }, received, { attempts: 5, error: new Error('failed') });

  const letters = await acrossWorkspaces(db, (tx) =>
    tx.selectFrom('dead_letter').select('name').where('message_id', '=', event).execute(),
  );
  expect(letters).toEqual([{ name: MessageParked.contacts.name }]);
  expect(await saidParked(event)).toEqual([]);
});

test('a late try of an event that was done meanwhile makes no dead letter of it', async () => {
  const campaign = newCampaign();
  const event = envelopeOf(campaign);
  await withWorkspace(db, workspaceId, async (tx) => {
    await sql`insert into inbox (event_id, workspace_id) values (${event.id}, ${workspaceId})`.execute(
      tx,
    );
    await note(tx, campaign, 'done');
  });

  const received = { event, key: campaign, body: JSON.stringify(event) };
  await park({ db, service }, received, { attempts: 5, error: new Error('late') });

  const letters = await acrossWorkspaces(db, (tx) =>
    tx.selectFrom('dead_letter').selectAll().where('message_id', '=', event.id).execute(),
  );
  expect([letters, await saidParked(event.id)]).toEqual([[], []]);
});

const saidParked = (messageId: string) =>
  acrossWorkspaces(db, (tx) =>
    tx.selectFrom('outbox').select('id').where('key', '=', messageId).execute(),
  );

/** As much of a message as is looked at. */
const messageOf = (envelope: ReturnType<typeof envelopeOf>) =>
  ({
    subject: CampaignSaved.name,
    json: () => envelope,
    string: () => JSON.stringify(envelope),
    ...{ ack: () => undefined, working: () => undefined },
  }) as unknown as JsMsg;

function start(handler: Handler<Tables>): void {
  const stopping = new AbortController();
  const finished = retryWaiting({ db, service, handlers: [handler], log }, stopping.signal);
  stop = async () => {
    stopping.abort();
    await finished;
  };
}

const envelopeOf = (campaignId: ReturnType<typeof newCampaign>, workspace = workspaceId) =>
  CampaignSaved.envelope.parse({
    ...{ id: newId('ev', EventId), name: CampaignSaved.name, workspaceId: workspace },
    ...{ occurredAt: '2026-03-01T00:00:00Z', correlationId: 'test' },
    actor: { kind: 'service', id: 'referrals' },
    payload: { campaignId, state: 'OPEN' },
  });

const keep = (envelopes: readonly ReturnType<typeof envelopeOf>[], key: string) =>
  acrossWorkspaces(db, async (tx) => {
    for (const envelope of envelopes) {
      await tx
        .insertInto('inbox_waiting')
        .values({
          ...{ event_id: envelope.id, workspace_id: envelope.workspaceId, name: envelope.name },
          ...{ key: `${envelope.workspaceId}|${key}`, body: JSON.stringify(envelope) },
          ...{ attempts: 0, not_before: new Date(0), last_error: 'none' },
        })
        .execute();
    }
  });
