import { CampaignSaved, subjectOf } from '@manifold/contracts';
import { createTestDatabase, silentLog as log, startTestNats } from '@manifold/testing';
import { jetstream } from '@nats-io/jetstream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { consume, consumeInBatches } from './consume.ts';
import { migrations, type Tables, workspaceId } from '../fixtures/notes.ts';
import { on } from './handler.ts';
import { ensureStream } from '../streams/streams.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const { nats, stop: stopNats } = await startTestNats();
const eventName = CampaignSaved.name;

beforeAll(async () => {
  await ensureStream(nats, 'referrals');
  // something is there to be delivered
  await jetstream(nats).publish(subjectOf(eventName, workspaceId), '{}');
});
afterAll(async () => {
  await stopNats();
  await drop();
});

const handlers = [on<Tables, typeof CampaignSaved>(CampaignSaved, async () => undefined)];
const batch = { eventNames: [eventName], read: () => ({}), write: async () => undefined };

test.each([
  ['one by one', () => consume({ db, nats, service: 'contacts', handlers, log })],
  ['in batches', () => consumeInBatches({ db, nats, service: 'audit', batch, log })],
])('events followed %s: told to stop while it still opens, it stops', async (_, start) => {
  const stop = await start();
  const late = new Promise((resolve) => setTimeout(resolve, 4_000, 'still following').unref());

  expect(await Promise.race([stop().then(() => 'stopped'), late])).toBe('stopped');
});
