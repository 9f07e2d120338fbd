import { CampaignSaved, subjectOf } from '@manifold/contracts';
import { createTestDatabase, eventually, silentLog as log, startTestNats } from '@manifold/testing';
import { jetstream } from '@nats-io/jetstream';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
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
import { type Handler, on, onPrepared } from './handler.ts';
import { ensureStream } from '../streams/streams.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const broker = await startTestNats();
const { nats } = broker;
const service = 'contacts';
const { send, countOpen } = createSender(nats, service);
const everythingAcknowledged = () =>
  eventually(async () => expect(await countOpen()).toEqual({ pending: 0, unacknowledged: 0 }));

const handler: Handler<Tables> = on(
  CampaignSaved,
  (tx, { payload }) => note(tx, payload.campaignId, payload.state),
  { keyOf: ({ payload }) => payload.campaignId },
);

let stop = async () => {};
const start = async (handlers = [handler]) => {
  stop = await consume({ db, nats, service, handlers, log });
};

beforeAll(() => ensureStream(nats, 'referrals'));
afterEach(() => stop());
afterAll(async () => {
  await broker.stop();
  await drop();
});

describe('an event', () => {
  test('is handled once, however often it arrives', async () => {
    await start();
    const campaign = newCampaign();
    const id = await send(campaign, 'OPEN');
    await send(campaign, 'OPEN', { id, msgID: 'another' });
    await send(campaign, 'PAUSED');

    await eventually(async () => expect(await notesOf(db, campaign)).toEqual(['OPEN', 'PAUSED']));
    await everythingAcknowledged();
  });

  test('is handled in the order of its key, beside other keys', async () => {
    const campaigns = Array.from({ length: 5 }, newCampaign);
    for (const state of ['DRAFT', 'OPEN', 'PAUSED'] as const) {
      for (const campaign of campaigns) await send(campaign, state);
    }
    await start();

    for (const campaign of campaigns) {
      await eventually(async () =>
        expect(await notesOf(db, campaign)).toEqual(['DRAFT', 'OPEN', 'PAUSED']),
      );
    }
  });

  test('sent while the service is away is handled when it is back', async () => {
    const campaign = newCampaign();
    await send(campaign, 'OPEN');
    await start();

    await eventually(async () => expect(await notesOf(db, campaign)).toEqual(['OPEN']));
  });

  test('that nobody here knows is refused, and does not stop the others', async () => {
    await start();
    const campaign = newCampaign();
    await jetstream(nats).publish(subjectOf(CampaignSaved.name, workspaceId), 'not an event');
    await send(campaign, 'OPEN');

    await eventually(async () => expect(await notesOf(db, campaign)).toEqual(['OPEN']));
    await everythingAcknowledged();
  });
});

test('what a handler reads beforehand is read outside its transaction', async () => {
  const campaign = newCampaign();
  const prepared = onPrepared<Tables, typeof CampaignSaved, string>(
    CampaignSaved,
    async ({ payload }) => `asked about ${payload.state}`,
    (tx, { payload }, answer) => note(tx, payload.campaignId, answer),
  );
  await start([prepared]);
  await send(campaign, 'OPEN');

  await eventually(async () => expect(await notesOf(db, campaign)).toEqual(['asked about OPEN']));
});

test('what was handled before is not read again when it arrives again', async () => {
  const campaign = newCampaign();
  const asked: string[] = [];
  const prepared = onPrepared<Tables, typeof CampaignSaved, string>(
    CampaignSaved,
    async ({ payload }) => {
      asked.push(payload.campaignId);
      return payload.state;
    },
    (tx, { payload }, state) => note(tx, payload.campaignId, state),
  );
  await start([prepared]);
  const id = await send(campaign, 'OPEN');
  await send(campaign, 'OPEN', { id, msgID: 'sent again' });
  await send(campaign, 'PAUSED');

  await eventually(async () => expect(await notesOf(db, campaign)).toEqual(['OPEN', 'PAUSED']));
  expect(asked).toEqual([campaign, campaign]);
});

// last: acknowledgements that a killed broker forgot would disturb the others
test('an event arrives also after the broker was away', async () => {
  await start();
  await broker.kill();
  await broker.restart();
  const campaign = newCampaign();
  await send(campaign, 'OPEN');

  await eventually(async () => expect(await notesOf(db, campaign)).toEqual(['OPEN']), {
    timeoutMs: 15_000,
  });
});
