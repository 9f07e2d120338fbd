import { CampaignSaved } from '@manifold/contracts';
import { acrossWorkspaces } from '@manifold/database';
import { createTestDatabase, eventually, silentLog as log, startTestNats } from '@manifold/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { consume } from './consume.ts';
import { migrations, newCampaign, note, notesOf, type Tables } from '../fixtures/notes.ts';
import { createSender } from '../fixtures/sending.ts';
import { type Handler, on } from './handler.ts';
import { ensureStream } from '../streams/streams.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const broker = await startTestNats();
const service = 'contacts';
const { send, countOpen } = createSender(broker.nats, service);
let stop = async () => {};

beforeAll(() => ensureStream(broker.nats, 'referrals'));
afterAll(async () => {
  await stop();
  await broker.stop();
  await drop();
});

test('an event that is none of the business of a service is acknowledged and leaves no trace', async () => {
  const handler: Handler<Tables> = on(
    CampaignSaved,
    (tx, { payload }) => note(tx, payload.campaignId, payload.state),
    { concerns: ({ payload }) => payload.state === 'OPEN' },
  );
  stop = await consume({ db, nats: broker.nats, service, handlers: [handler], log });
  const campaign = newCampaign();
  await send(campaign, 'DRAFT');
  await send(campaign, 'OPEN');

  await eventually(async () => expect(await notesOf(db, campaign)).toEqual(['OPEN']));
  await eventually(async () =>
    expect(await countOpen()).toEqual({ pending: 0, unacknowledged: 0 }),
  );
  const { rows } = await acrossWorkspaces(db, (tx) => sql`select from inbox`.execute(tx));
  expect(rows).toHaveLength(1);
});
