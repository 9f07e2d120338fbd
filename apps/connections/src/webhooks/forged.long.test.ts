import {
  captureLog,
  createTestDatabase,
  eventually,
  startTestNats,
  startTestPipedrive,
} from '@manifold/testing';
import { afterAll, expect, test } from 'vitest';
import { startForging } from '../../test/forging.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';

const COUNT = 10_000;

const database = await createTestDatabase<Tables>(migrations);
const nats = await startTestNats();
const sandbox = await startTestPipedrive();
const { log, lines } = captureLog();
/** So many at once are more than are let in: who is told to come later does, without waiting for it. */
let aheadMs = 0;
const forging = await startForging({
  ...{ database, natsUrl: nats.url, sandbox, log },
  now: () => new Date(Date.now() + aheadMs),
  passTime: (seconds) => {
    aheadMs += seconds * 1_000;
  },
});
afterAll(async () => {
  await forging.stop();
  await sandbox.stop();
  await nats.stop();
  await database.drop();
});

test(`of ${COUNT} forged or malformed webhooks none is accepted, and no secret is in a log`, async () => {
  expect(await forging.sendForged(COUNT)).toEqual([]);
  const states = async () => expect(await forging.statesOfForged()).toEqual(['ignored', 'parked']);
  await eventually(states, { timeoutMs: 120_000 });
  expect(await forging.lookAfter(lines)).toEqual({ told: [], leaked: [] });
  expect({}).not.toHaveProperty('meta');
}, 600_000);
