import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, expect, test } from 'vitest';
import { createWorld } from '../../../test/writing.ts';
import type { PipedriveAccess } from '../../accounts/calling/client.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import { startUpkeep } from '../../upkeep/worker.ts';
import { putHealth } from './store.ts';
import { startHealthWorker } from './worker.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive();
const worldOf = () => createWorld({ db, pipedrive, log: silentLog, eventually });
const worlds = [await worldOf(), await worldOf()] as const;
const [{ deps }] = worlds;
afterAll(async () => {
  await pipedrive.stop();
  await drop();
});

/** Answers nobody before everybody has asked; then as if there were no answer. */
function createBarrier() {
  const asked = new Set<string>();
  const all = Promise.withResolvers<never>();
  const access: PipedriveAccess = {
    ...{ clientFor: wait, authorizationFor: wait },
  };
  function wait(_: string, id: string): Promise<never> {
    asked.add(id);
    if (asked.size === worlds.length) all.reject(new Error('no answer'));
    return all.promise;
  }
  return { access, asked };
}

const parts = {
  ...{ ...deps, publicUrl: 'http://127.0.0.1:9', checkEveryMs: 1_800_000 },
  ...{ apps: [], allowedApiDomains: [], onCall: () => Promise.resolve() },
};

test('one slow company does not hold up the look at the subscription of another', async () => {
  const { access, asked } = createBarrier();
  for (const { scoped, workspaceId, connection } of worlds) {
    const due_at = new Date(Date.now() - 1_000);
    await scoped((tx) => putHealth(tx, { workspace_id: workspaceId, id: connection.id, due_at }));
  }
  const worker = startHealthWorker({ ...parts, access });
  await eventually(() => Promise.resolve(expect(asked.size).toBe(2)));
  await worker.stop();
});

test('one slow company does not hold up the upkeep of another', async () => {
  const { access, asked } = createBarrier();
  for (const { setConnectionTo } of worlds)
    await setConnectionTo({ upkeep_at: new Date(Date.now() - 1_000) });
  const stop = startUpkeep({ ...parts, access });
  await eventually(() => Promise.resolve(expect(asked.size).toBe(2)));
  await stop();
});
