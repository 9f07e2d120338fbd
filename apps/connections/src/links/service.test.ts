import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { normaliseRecord } from '@manifold/pipedrive';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { createBystander } from '../../test/bystander.ts';
import { personStep } from '../../test/write-commands.ts';
import { createWorld, type World } from '../../test/writing.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';
import { followRecordChange } from './commands.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
const closing: (() => Promise<void>)[] = [];
let world: World;

beforeEach(async () => {
  await bystander.reset();
  world = await createWorld({ db, pipedrive, log: silentLog, eventually });
  closing.push(world.startWorker().stop);
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
afterAll(async () => {
  await pipedrive.stop();
  await drop();
});

test('links follow a merge to the survivor and forget a deleted record', async () => {
  const email = 'merge@example.test';
  const [loser] = await world.settled(
    (await world.submit({ steps: [personStep(email)] })).writeRequestId,
  );
  const survivor = await bystander.create('person', { name: 'Survivor', emails: [] });
  const record = normaliseRecord('person', { id: loser?.pipedrive_id });
  const change = { ...changeOf(loser?.pipedrive_id ?? ''), record };
  const follow = (action: 'merged' | 'deleted', pipedriveId: string) =>
    world.scoped((tx) =>
      followRecordChange(
        tx,
        { ...change, action, pipedriveId, mergedIntoPipedriveId: String(survivor.id) },
        { vault: world.vault, now: new Date() },
      ),
    );

  await follow('merged', change.pipedriveId);
  const [after] = await world.settled(
    (await world.submit({ steps: [personStep(email)] })).writeRequestId,
  );
  expect(after?.pipedrive_id).toBe(String(survivor.id));

  await bystander.call('DELETE', `/api/v2/persons/${survivor.id}`);
  await bystander.call('DELETE', `/api/v2/persons/${loser?.pipedrive_id}`);
  await follow('deleted', String(survivor.id));
  const [anew] = await world.settled(
    (await world.submit({ steps: [personStep(email)] })).writeRequestId,
  );
  expect(anew).toMatchObject({ effect: 'created' });
});

test('a create whose body does not open does not hold up what is told of its company', async () => {
  for (const close of closing.splice(0)) await close();
  const { workspaceId, vault } = world;
  await world.submit({ steps: [personStep('closed@example.test')] });
  await world.scoped((tx) =>
    tx
      .updateTable('write_step')
      .set({ state: 'unknown', sent_effect: 'created', sealed_body: 'torn' })
      .where('workspace_id', '=', workspaceId)
      .execute(),
  );
  const record = normaliseRecord('person', { id: 77, name: 'Ada' });
  const change = { ...changeOf('77'), action: 'created' as const, record };
  await expect(
    world.scoped((tx) => followRecordChange(tx, change, { vault, now: new Date() })),
  ).resolves.toBeUndefined();
});

// builders

const changeOf = (pipedriveId: string) => ({
  workspaceId: world.workspaceId,
  companyId: world.connection.company_id,
  object: 'person' as const,
  pipedriveId,
});
