import { acrossWorkspaces } from '@manifold/database';
import { captureLog, createTestDatabase, startTestNats } from '@manifold/testing';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { sql } from 'kysely';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { saveNumbered } from '../fixtures/counting.ts';
import { migrations, newCampaign, type Tables } from '../fixtures/notes.ts';
import { relayOutbox } from '../publishing/relay.ts';
import { streamOf } from './streams.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const broker = await startTestNats();
const { nats } = broker;
const manager = await jetstreamManager(nats);
const stream = 'referrals';

beforeEach(() => acrossWorkspaces(db, (tx) => tx.deleteFrom('outbox').execute()));
afterAll(async () => {
  await broker.stop();
  await drop();
});

test('what a new stream refuses holds its own key, the rest is sent again', async () => {
  const [held, free] = [newCampaign(), newCampaign()];
  for (const n of [1, 2]) await saveNumbered(db, held, n);
  for (const n of [3, 4]) await saveNumbered(db, free, n);
  while ((await relayOutbox(db, nats)) > 0);
  await setBody(held, sql`jsonb_set(body, '{padding}', to_jsonb(repeat('x', 300000)))`);
  await manager.streams.delete(stream);

  await relayOutbox(db, nats);
  expect(await numbersIn()).toEqual(['3', '4']);
  await expect(relayOutbox(db, nats)).rejects.toThrow('did not take every event');
  expect(await numbersIn()).toEqual(['3', '4']);

  await setBody(held, sql`body - 'padding'`);
  await saveNumbered(db, held, 5);
  while ((await relayOutbox(db, nats)) > 0);
  expect(await numbersIn()).toEqual(['3', '4', '1', '2', '5']);
});

test('a stream that somebody replaced by a longer one is kept', async () => {
  while ((await relayOutbox(db, nats)) > 0);
  await manager.streams.delete(stream);
  await manager.streams.add(streamOf(stream));
  for (let n = 0; n < 20; n += 1) await jetstream(nats).publish(`${stream}.other`, '{}');

  await saveNumbered(db, newCampaign(), 6);
  while ((await relayOutbox(db, nats)) > 0);
  expect(await numbersIn()).toHaveLength(21);
});

test('a stream that is nearly full is said in the log', async () => {
  const { log, lines } = captureLog();
  const earlier = process.env['NATS_STREAM_MAX_BYTES'];
  process.env['NATS_STREAM_MAX_BYTES'] = '3000';
  try {
    await manager.streams.add(streamOf('contacts'));
    for (let n = 0; n < 25; n += 1) await jetstream(nats).publish('contacts.x', 'x'.repeat(60));
    await acrossWorkspaces(db, (tx) =>
      tx.insertInto('outbox_stream').values(knownAs('contacts')).execute(),
    );
    await relayOutbox(db, nats, { log });
  } finally {
    if (earlier === undefined) delete process.env['NATS_STREAM_MAX_BYTES'];
    else process.env['NATS_STREAM_MAX_BYTES'] = earlier;
  }
  expect(lines.join()).toContain('nearly full');
});

const knownAs = (name: string) => ({ stream: name, created: 'x', last_seq: '0', round: 0 });

const setBody = (campaign: string, body: ReturnType<typeof sql>) =>
  acrossWorkspaces(db, (tx) =>
    sql`update outbox set body = ${body} where key = ${campaign}
      and body->>'correlationId' = '1'`.execute(tx),
  );

/** The numbers of the events in the stream, in its order. */
async function numbersIn(): Promise<unknown[]> {
  const { last_seq, first_seq } = (await manager.streams.info(stream)).state;
  const numbers: unknown[] = [];
  for (let seq = first_seq; seq <= last_seq; seq += 1) {
    const message = await manager.streams.getMessage(stream, { seq });
    const body: unknown = message?.json();
    numbers.push(
      typeof body === 'object' && body !== null && 'correlationId' in body
        ? body.correlationId
        : undefined,
    );
  }
  return numbers;
}
