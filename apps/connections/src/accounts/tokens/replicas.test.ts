import {
  createTestDatabase,
  silentLog,
  startTestNats,
  startTestPipedrive,
} from '@manifold/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startRounds, unharmed } from '../../../test/rounds.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';

const database = await createTestDatabase<Tables>(migrations);
const nats = await startTestNats();
const clock = { skewMs: 0 };
const sandbox = await startTestPipedrive({ now: () => new Date(Date.now() + clock.skewMs) });
let rounds: Awaited<ReturnType<typeof startRounds>>;

beforeAll(async () => {
  rounds = await startRounds({ database, natsUrl: nats.url, sandbox, clock, log: silentLog });
});
afterAll(async () => {
  await rounds.stop();
  await sandbox.stop();
  await nats.stop();
  await database.drop();
});

test('50 calls in each of 8 replicas as the token ends: one refresh, and no grant is lost', async () => {
  const connection = await rounds.granted.connect();
  for (const number of [0, 1, 2]) {
    expect(await rounds.round(connection, number)).toEqual(unharmed);
  }
  expect(await rounds.granted.rowOf(connection)).toMatchObject({ status: 'ACTIVE' });
}, 60_000);
