import { CampaignSaved, DeliverySettled, EventId, subjectOf } from '@manifold/contracts';
import { newId } from '@manifold/database';
import { createTestDatabase, eventually, silentLog as log, startTestNats } from '@manifold/testing';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { afterAll, afterEach, expect, test } from 'vitest';
import { consume } from './consume.ts';
import {
  migrations,
  newCampaign,
  note,
  notesOf,
  type Tables,
  workspaceId,
} from '../fixtures/notes.ts';
import { createSender } from '../fixtures/sending.ts';
import { type Handler, on } from './handler.ts';
import { ensureStream } from '../streams/streams.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const broker = await startTestNats();
const { nats } = broker;
const service = 'contacts';
const { send, countOpen } = createSender(nats, service);
let stop = async () => {};
const start = async (handlers: readonly Handler<Tables>[]) => {
  stop = await consume({ db, nats, service, handlers, log });
};
afterEach(() => stop());
afterAll(async () => {
  await broker.stop();
  await drop();
});

/** Done or not: it is acknowledged, after the one of another name before it. */
const sendSettled = () =>
  jetstream(nats).publish(
    subjectOf(DeliverySettled.name, workspaceId),
    JSON.stringify({
      ...{ id: newId('ev', EventId), name: DeliverySettled.name, workspaceId, payload: {} },
      ...{ occurredAt: '2026-03-01T00:00:00Z', correlationId: 'test' },
      actor: { kind: 'service', id: 'referrals' },
    }),
  );

test('a handler that a release adds gets the earlier events of its name, the others are not repeated', async () => {
  await ensureStream(nats, 'referrals');
  const campaign = newCampaign();
  const saved = on<Tables, typeof CampaignSaved>(CampaignSaved, (tx, { payload }) =>
    note(tx, payload.campaignId, payload.state),
  );
  const settled = on<Tables, typeof DeliverySettled>(DeliverySettled, async () => undefined);
  await start([settled]);
  await eventually(async () => expect(await countOpen()).toMatchObject({ pending: 0 }));
  await send(campaign, 'DRAFT');
  await sendSettled();
  await eventually(async () => {
    const { ack_floor } = await (await jetstreamManager(nats)).consumers.info('referrals', service);
    expect(ack_floor.stream_seq).toBe(2);
  });
  await stop();
  await start([settled, saved]);
  await eventually(async () => expect(await notesOf(db, campaign)).toEqual(['DRAFT']));
  await stop();

  await start([saved]);
  await send(campaign, 'OPEN');
  await eventually(async () => expect(await notesOf(db, campaign)).toEqual(['DRAFT', 'OPEN']));
  await stop();
  await start([saved, settled]);
  await send(campaign, 'PAUSED');

  const all = ['DRAFT', 'OPEN', 'PAUSED'];
  await eventually(async () => expect(await notesOf(db, campaign)).toEqual(all));
});
