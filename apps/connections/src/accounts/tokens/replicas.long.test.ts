import {
  createTestDatabase,
  silentLog,
  startTestNats,
  startTestPipedrive,
} from '@manifold/testing';
import { expect, test } from 'vitest';
import { startRounds, unharmed } from '../../../test/rounds.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';

const ROUNDS = 100;

test.runIf(process.env['MANIFOLD_LONG'] === '1')(
  'a hundred times 50 calls in each of 8 replicas as the token ends: one refresh each time, and no grant is lost',
  async () => {
    const database = await createTestDatabase<Tables>(migrations);
    const nats = await startTestNats();
    const clock = { skewMs: 0 };
    const now = () => new Date(Date.now() + clock.skewMs);
    const sandbox = await startTestPipedrive({ now });
    const ground = { database, natsUrl: nats.url, sandbox, clock, log: silentLog };
    const rounds = await startRounds(ground);
    const connection = await rounds.granted.connect();
    for (let number = 0; number < ROUNDS; number += 1) {
      expect(await rounds.round(connection, number)).toEqual(unharmed);
    }
    await rounds.stop();
    await sandbox.stop();
    await nats.stop();
    await database.drop();
  },
  1_800_000,
);
