import { CampaignSaved, defineEvent } from '@manifold/contracts';
import { acrossWorkspaces, withWorkspace } from '@manifold/database';
import {
  captureLog,
  createTestDatabase,
  eventually,
  silentLog as log,
  startTestNats,
} from '@manifold/testing';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  migrations,
  newCampaign,
  notesOf,
  origin,
  saveCampaign,
  type Tables,
  workspaceId,
} from '../fixtures/notes.ts';
import { publish } from './publish.ts';
import { relayOutbox, startRelay } from './relay.ts';
import { ensureStream } from '../streams/streams.ts';

const { db, ownerDb, drop } = await createTestDatabase<Tables>(migrations);
const broker = await startTestNats();
const { nats } = broker;

const Large = defineEvent('referrals.text_kept.v1', z.object({ text: z.string() }), () => ({
  target: { type: 'Text', id: '1' },
  outcome: 'succeeded',
}));

beforeAll(() => ensureStream(nats, 'referrals'));
afterAll(async () => {
  await broker.stop();
  await drop();
});

describe('an event', () => {
  test('is published when the change it reports commits', async () => {
    const campaign = newCampaign();
    await save(campaign, 'OPEN');

    await relayOutbox(db, nats);

    expect(await published(campaign)).toEqual(['OPEN']);
  });

  test('is not published when the change is taken back', async () => {
    const campaign = newCampaign();
    const failed = withWorkspace(db, workspaceId, async (tx) => {
      await saveCampaign(tx, campaign, 'OPEN');
      throw new Error('changed my mind');
    });
    await expect(failed).rejects.toThrow('changed my mind');

    await relayOutbox(db, nats);

    expect(await notesOf(db, campaign)).toEqual([]);
    expect(await published(campaign)).toEqual([]);
  });

  test('that was sent but not marked as sent reaches the stream once', async () => {
    const campaign = newCampaign();
    await save(campaign, 'OPEN');
    await relayOutbox(db, nats);
    await acrossWorkspaces(db, (tx) =>
      tx.updateTable('outbox').set({ published_at: null }).where('key', '=', campaign).execute(),
    );

    expect(await relayOutbox(db, nats)).toBe(1);

    expect(await published(campaign)).toEqual(['OPEN']);
  });

  test('must fit its contract, or the whole change fails', async () => {
    const campaign = newCampaign();
    // as if from plain JavaScript
    const wrong: string = 'CLOSED';
    await expect(
      withWorkspace(db, workspaceId, (tx) => saveCampaign(tx, campaign, wrong as 'OPEN')),
    ).rejects.toThrow('state');
    expect(await notesOf(db, campaign)).toEqual([]);
  });
});

test('an event too large for its stream fails the change, not the relay', async () => {
  const large = withWorkspace(db, workspaceId, (tx) =>
    publish(tx, Large, {
      origin,
      key: 'k',
      payload: { text: 'x'.repeat(300_000) },
      now: new Date(),
    }),
  );
  await expect(large).rejects.toThrow('too large');
});

test('events of one key are published in the order of their commits, by many writers at once', async () => {
  const campaign = newCampaign();
  await Promise.all(
    Array.from({ length: 20 }, (_, n) => save(campaign, n % 2 === 0 ? 'OPEN' : 'PAUSED')),
  );

  await relayOutbox(db, nats);

  const committed = await acrossWorkspaces(db, (tx) =>
    tx.selectFrom('outbox').select('event_id').where('key', '=', campaign).orderBy('id').execute(),
  );
  expect(await publishedIds(campaign)).toEqual(committed.map(({ event_id }) => event_id));
});

describe('the relay', () => {
  test('publishes what is committed, unasked', async () => {
    const stop = startRelay({ db, nats, log });
    const campaign = newCampaign();
    await save(campaign, 'OPEN');

    await eventually(async () => expect(await published(campaign)).toEqual(['OPEN']));
    await stop();
  });

  test('publishes while upkeep fails, which is said', async () => {
    await sql`alter function keep_messaging_tidy(int) rename to keep_messaging_tidy_later`.execute(
      ownerDb,
    );
    const { log: told, lines } = captureLog();
    const stop = startRelay({ db, nats, log: told });
    const campaign = newCampaign();
    await save(campaign, 'OPEN');

    await eventually(async () => expect(await published(campaign)).toEqual(['OPEN']));
    await eventually(async () => expect(lines.join()).toContain('old messages not removed'));
    await stop();
    await sql`alter function keep_messaging_tidy_later(int) rename to keep_messaging_tidy`.execute(
      ownerDb,
    );
  });

  test('goes on when the broker was away, and loses nothing', async () => {
    const stop = startRelay({ db, nats, log });
    const [before, during] = [newCampaign(), newCampaign()];
    await save(before, 'OPEN');
    await eventually(async () => expect(await published(before)).toEqual(['OPEN']));
    await broker.kill();
    for (const state of ['DRAFT', 'OPEN', 'PAUSED'] as const) await save(during, state);
    await broker.restart();

    await eventually(
      async () => expect(await published(during)).toEqual(['DRAFT', 'OPEN', 'PAUSED']),
      { timeoutMs: 15_000 },
    );
    await stop();
  });

  test('is one over all replicas, and another takes over when it stops', async () => {
    const first = startRelay({ db, nats, log });
    const second = startRelay({ db, nats, log });
    await eventually(async () => expect(await holders()).toBe(1));
    await first();
    const campaign = newCampaign();
    await save(campaign, 'OPEN');

    await eventually(async () => expect(await published(campaign)).toEqual(['OPEN']));
    expect(await holders()).toBe(1);
    await second();
    expect(await holders()).toBe(0);
  });
});

test('upkeep makes room by day, drops what is old and published, and keeps what is not', async () => {
  const [old, unpublished] = [newCampaign(), newCampaign()];
  await save(old, 'OPEN');
  await relayOutbox(db, nats);
  await save(unpublished, 'OPEN');
  await acrossWorkspaces(db, (tx) =>
    sql`update outbox set created_at = created_at - interval '30 days'
      where key in (${old}, ${unpublished})`.execute(tx),
  );

  await sql`select keep_messaging_tidy(7)`.execute(db);

  const kept = await acrossWorkspaces(db, (tx) =>
    tx.selectFrom('outbox').select('key').where('key', 'in', [old, unpublished]).execute(),
  );
  expect(kept).toEqual([{ key: unpublished }]);
});

const save = (campaign: ReturnType<typeof newCampaign>, state: 'DRAFT' | 'OPEN' | 'PAUSED') =>
  withWorkspace(db, workspaceId, (tx) => saveCampaign(tx, campaign, state));

async function holders(): Promise<number> {
  const { rows } = await sql`select 1 from pg_locks where locktype = 'advisory' and objid = 728116
    and database = (select oid from pg_database where datname = current_database())`.execute(db);
  return rows.length;
}

/** What the stream holds about one campaign, in its order. */
async function read(campaign: string) {
  const manager = await jetstreamManager(nats);
  const { state } = await manager.streams.info('referrals');
  if (state.messages === 0) return [];
  const consumer = await jetstream(nats).consumers.get('referrals');
  const messages = await consumer.fetch({ max_messages: state.messages, expires: 1_000 });
  const events: { id: string; payload: { campaignId: string; state: string } }[] = [];
  for await (const message of messages) {
    const event = CampaignSaved.envelope.parse(message.json());
    if (event.payload.campaignId === campaign) events.push(event);
    if (message.info.pending === 0) break;
  }
  return events;
}

const published = async (campaign: string) =>
  (await read(campaign)).map(({ payload }) => payload.state);
const publishedIds = async (campaign: string) => (await read(campaign)).map(({ id }) => id);
