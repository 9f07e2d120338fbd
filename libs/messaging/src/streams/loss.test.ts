import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { acrossWorkspaces } from '@manifold/database';
import { type NatsServer, startNats } from '@manifold/infrastructure';
import { captureLog, createTestDatabase, eventually, silentLog as log } from '@manifold/testing';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { consume, consumeInBatches } from '../consuming/consume.ts';
import { noteNumber, noteNumbers, numbersOf, saveNumbered } from '../fixtures/counting.ts';
import { migrations, newCampaign, type Tables } from '../fixtures/notes.ts';
import { relayOutbox, startRelay } from '../publishing/relay.ts';

const stream = 'referrals';
const outbox = await createTestDatabase<Tables>(migrations);
const inSeries = await createTestDatabase<Tables>(migrations);
const inBatches = await createTestDatabase<Tables>(migrations);
const home = await mkdtemp(join(tmpdir(), 'manifold-test-loss-'));
const start = (port = 0) => startNats({ storeDir: home, port, durable: false, env: {} });
let broker: NatsServer = await start();
const { url: servers } = broker;
const nats = await connect({ servers, maxReconnectAttempts: -1, reconnectTimeWait: 25 });
const manager = await jetstreamManager(nats);

const told = captureLog();
let stops: (() => Promise<void>)[] = [];
/** How many events each campaign has. */
const written = new Map<ReturnType<typeof newCampaign>, number>();
const [some, others] = [makeCampaigns(), makeCampaigns()];

beforeEach(async () => {
  stops = [
    startRelay({ db: outbox.db, nats, log: told.log }),
    await consume({ db: inSeries.db, nats, service: 'contacts', handlers: [noteNumber], log }),
    await consumeInBatches({ db: inBatches.db, nats, service: 'audit', batch: noteNumbers, log }),
  ];
});
afterEach(async () => {
  await Promise.all(stops.map((stop) => stop()));
});
afterAll(async () => {
  await nats.close();
  await broker.stop();
  await Promise.all([outbox, inSeries, inBatches].map(({ drop }) => drop()));
  await rm(home, { recursive: true, force: true });
});

const store = join(home, `nats-${broker.version.split('.').slice(0, 2).join('.')}`);
const kept = join(home, 'kept');

const faults: Record<string, () => Promise<void>> = {
  'the broker is killed and its store wiped': async () => {
    await broker.kill();
    await rm(store, { recursive: true });
    broker = await broker.restart();
  },
  'the broker’s store is wiped between a stop and a start': async () => {
    const { port } = broker;
    await broker.stop();
    await rm(store, { recursive: true });
    broker = await start(port);
  },
  'the stream is deleted while everything runs': async () => {
    await manager.streams.delete(stream);
  },
  'the broker comes back with an older store': async () => {
    const { port } = broker;
    await broker.stop();
    await cp(store, kept, { recursive: true });
    broker = await start(port);
    await write(some, 5);
    await everythingArrived();
    await broker.kill();
    await rm(store, { recursive: true });
    await cp(kept, store, { recursive: true });
    broker = await broker.restart();
  },
  'a consumer is deleted by hand': async () => {
    await manager.consumers.delete(stream, 'contacts');
  },
  'the broker is killed and comes back': async () => {
    await broker.kill();
    broker = await broker.restart();
  },
};

test.each(Object.keys(faults))(
  'nothing is lost, nothing done twice, order is kept when %s',
  async (fault) => {
    await write(some, 10);
    await everythingArrived();
    await Promise.all([faults[fault]?.(), write(others, 30)]);
    await write(some, 10);

    await everythingArrived();
  },
  60_000,
);

test('sending again goes on where a killed relay was, and repeats of a batch are dropped', async () => {
  await Promise.all(stops.map((stop) => stop()));
  const first = await outboxSize();
  for (let batch = 0; batch < 80; batch += 1) await write(some, 1);
  const total = first + 80 * some.length;
  while ((await relayOutbox(outbox.db, nats)) > 0);
  await manager.streams.delete(stream);

  expect(await relayOutbox(outbox.db, nats)).toBe(500);
  expect(await streamSize()).toBe(500);
  // as if killed before the batch was noted
  await acrossWorkspaces(outbox.db, (tx) =>
    tx.updateTable('outbox_stream').set({ again_after: '0' }).execute(),
  );
  while ((await relayOutbox(outbox.db, nats)) > 0);

  expect(total).toBeGreaterThan(500);
  expect(await streamSize()).toBe(total);
  expect(told.lines.filter((line) => line.includes('sending again')).length).toBeLessThan(8);
});

async function write(campaigns: readonly ReturnType<typeof newCampaign>[], times: number) {
  for (let time = 0; time < times; time += 1) {
    await Promise.all(
      campaigns.map(async (campaign) => {
        const n = written.get(campaign) ?? 0;
        await saveNumbered(outbox.db, campaign, n);
        written.set(campaign, n + 1);
      }),
    );
  }
}

/** Each consumer has noted each number once; the one in series also in order. */
const everythingArrived = () =>
  eventually(
    async () => {
      const expected = new Map(
        [...written].map(([id, count]) => [id, Array.from({ length: count }, (_, n) => n)]),
      );
      expect(await numbersOf(inSeries.db)).toEqual(expected);
      const sorted = [...(await numbersOf(inBatches.db))].map(
        ([id, numbers]) => [id, numbers.toSorted((a, b) => a - b)] as const,
      );
      expect(new Map(sorted)).toEqual(expected);
    },
    { timeoutMs: 30_000 },
  );

const streamSize = async () => (await manager.streams.info(stream)).state.messages;

const outboxSize = () =>
  acrossWorkspaces(outbox.db, async (tx) => {
    const rows = await tx.selectFrom('outbox').select('id').execute();
    return rows.length;
  });

function makeCampaigns() {
  return Array.from({ length: 8 }, newCampaign);
}
