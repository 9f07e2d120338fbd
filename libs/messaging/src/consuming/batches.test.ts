import { CampaignSaved, EventId, subjectOf } from '@manifold/contracts';
import { acrossWorkspaces, newId, withWorkspace } from '@manifold/database';
import { createTestDatabase, eventually, silentLog as log, startTestNats } from '@manifold/testing';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { consumeInBatches } from './consume.ts';
import {
  migrations,
  newCampaign,
  note,
  notesOf,
  type Tables,
  workspaceId,
} from '../fixtures/notes.ts';
import type { Batch } from './in-batches.ts';
import { ensureStream } from '../streams/streams.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const { nats, stop: stopNats } = await startTestNats();

interface Line {
  campaignId: string;
  state: string;
}
let sizes: number[] = [];
const batch: Batch<Tables, Line> = {
  eventNames: [CampaignSaved.name],
  read: (event) => CampaignSaved.envelope.parse(event).payload,
  write: async (tx, lines) => {
    sizes.push(lines.length);
    for (const { campaignId, state } of lines) await note(tx, campaignId, state);
  },
};
let stop = async () => {};
const start = async () => {
  stop = await consumeInBatches({ db, nats, service: 'audit', batch, log });
};

beforeAll(() => ensureStream(nats, 'referrals'));
afterEach(async () => {
  await stop();
  sizes = [];
});
afterAll(async () => {
  await stopNats();
  await drop();
});

test('events that have come together are settled together', async () => {
  const campaigns = Array.from({ length: 300 }, newCampaign);
  await Promise.all(campaigns.map((campaign) => send(campaign, 'OPEN')));
  await start();

  await eventually(async () => expect(await countNotes(campaigns)).toBe(300));
  expect(sizes.length).toBeLessThan(100);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(200);
  await everythingAcknowledged();
});

test('an event that comes twice is written once, in one batch or in two', async () => {
  const campaign = newCampaign();
  const id = newId('ev', EventId);
  await send(campaign, 'OPEN', id, 'one');
  await send(campaign, 'OPEN', id, 'two');
  await start();
  await eventually(async () => expect(await notesOf(db, campaign)).toEqual(['OPEN']));
  await send(campaign, 'OPEN', id, 'three');

  await everythingAcknowledged();
  expect(await notesOf(db, campaign)).toEqual(['OPEN']);
});

test('an event that spoils its batch is parked by itself; the others are written', async () => {
  const campaigns = Array.from({ length: 5 }, newCampaign);
  const spoilt = newId('ev', EventId);
  await Promise.all(campaigns.map((campaign) => send(campaign, 'OPEN')));
  await send('no campaign', 'OPEN', spoilt);
  await jetstream(nats).publish(subjectOf(CampaignSaved.name, workspaceId), 'not an event');
  await start();

  await eventually(async () => expect(await countNotes(campaigns)).toBe(5));
  await eventually(async () => expect(await parkedReason(spoilt)).toBe('message_unreadable'));
  await everythingAcknowledged();
});

async function send(
  campaignId: string,
  state: string,
  id = newId('ev', EventId),
  msgID: string = id,
) {
  const { name } = CampaignSaved;
  const envelope = {
    ...{ id, name, workspaceId, occurredAt: '2026-03-01T00:00:00Z', correlationId: 'test' },
    actor: { kind: 'service', id: 'referrals' },
    payload: { campaignId, state },
  };
  await jetstream(nats).publish(subjectOf(name, workspaceId), JSON.stringify(envelope), { msgID });
}

const countNotes = (campaigns: readonly string[]) =>
  acrossWorkspaces(db, async (tx) => {
    const query = tx
      .selectFrom('note')
      .select('id')
      .where('id', 'in', [...campaigns]);
    return (await query.execute()).length;
  });

const parkedReason = (id: string) =>
  withWorkspace(db, workspaceId, async (tx) => {
    const query = tx.selectFrom('dead_letter').select('reason').where('message_id', '=', id);
    return (await query.executeTakeFirst())?.reason;
  });

const everythingAcknowledged = () =>
  eventually(async () => {
    const info = await (await jetstreamManager(nats)).consumers.info('referrals', 'audit');
    expect(info.num_pending + info.num_ack_pending).toBe(0);
  });
