import {
  captureLog,
  createTestDatabase,
  eventually,
  startTestNats,
  startTestPipedrive,
} from '@manifold/testing';
import { Pool } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectForDeliveries, type Deliveries } from '../../test/deliveries.ts';
import { lookAfterForging, sendForged, statesOf, wrongAnswers } from '../../test/forging.ts';
import { type Installation, startInstallation } from '../../test/installation.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';

const COUNT = 10_000;

const database = await createTestDatabase<Tables>(migrations);
const nats = await startTestNats();
const sandbox = await startTestPipedrive();
const { log, lines } = captureLog();
let installation: Installation;
let hooks: Deliveries;
let pool: Pool;

beforeAll(async () => {
  installation = await startInstallation({
    urls: database.urls,
    natsUrl: nats.url,
    sandbox,
    log,
  });
  const { db } = database;
  hooks = await connectForDeliveries(installation, { db, apiToken: sandbox.apiToken });
  pool = new Pool(installation.publicUrl, { connections: 8 });
});
afterAll(async () => {
  await pool.destroy();
  await installation.stop();
  await sandbox.stop();
  await nats.stop();
  await database.drop();
});

test(`of ${COUNT} forged or malformed webhooks none is accepted, and no secret is in a log`, async () => {
  expect(wrongAnswers(await sendForged({ hooks, pool }, COUNT))).toEqual([]);
  const { db } = database;
  await eventually(async () => expect(await statesOf(db)).toEqual(['ignored', 'parked']), {
    timeoutMs: 120_000,
  });
  expect(await lookAfterForging({ db, hooks, lines })).toEqual({ told: [], leaked: [] });
  expect({}).not.toHaveProperty('meta');
}, 600_000);
