import {
  createTestDatabase,
  silentLog,
  startTestNats,
  startTestPipedrive,
} from '@manifold/testing';
import { afterAll, expect, test } from 'vitest';
import { createGranted } from '../../../test/granted.ts';
import { openTestVault, startInstallation } from '../../../test/installation.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';

const { db, urls, drop } = await createTestDatabase<Tables>(migrations);
const nats = await startTestNats();
const sandbox = await startTestPipedrive({ searchLagMs: 0 });
const installation = await startInstallation({ urls, natsUrl: nats.url, sandbox, log: silentLog });

afterAll(async () => {
  await installation.stop();
  await sandbox.stop();
  await nats.stop();
  await drop();
});

test('what connecting takes is told apart: who the user is, the subscription, and the fields', async () => {
  const vault = await openTestVault(db);
  const userId: number = (await installation.control('GET', '/state')).users[0].id;
  const granted = createGranted({ installation, sandbox, db, vault, userId });
  const { workspaceId } = await granted.connect({ kind: 'ORGANIZATION' });

  // finished calls are entered a moment later
  await expect
    .poll(
      async () => {
        const query = '{ apiUsage(by: FEATURE) { nodes { key tokens } } }';
        const { data } = await installation.graph(query, {}, { workspaceId });
        return data.apiUsage.nodes.map(({ key }: { key: string }) => key).toSorted();
      },
      { timeout: 30_000 },
    )
    .toEqual(['connecting', 'field_catalogue', 'webhook_upkeep']);
}, 60_000);
