import { acrossWorkspaces } from '@manifold/database';
import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { createBystander } from '../../../test/bystander.ts';
import { askerOf, personStep } from '../../../test/write-commands.ts';
import { createWorld, type World } from '../../../test/writing.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import { cancelRequest } from '../commands.ts';
import { processStep } from './process.ts';
import { leaseSteps } from './leasing/store.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
let world: World;

beforeEach(async () => {
  await bystander.reset();
  world = await createWorld({ db, pipedrive, log: silentLog, eventually });
});
afterAll(async () => {
  await pipedrive.stop();
  await drop();
});

const email = 'joined@example.test';
const organization = {
  name: 'org',
  operation: 'upsert' as const,
  object: 'organization' as const,
  identity: [{ kind: 'name' as const, value: 'Joined Ltd' }],
  fields: {},
};

test('what a superseded write points at is pointed at by the one that took it over', async () => {
  const person = personStep(email, { references: { org_id: 'org' } });
  const older = await world.submit({ steps: [organization, person] });
  await workOnce();
  const newer = await world.submit({ steps: [personStep(email)] });
  await workOnce();
  await workOnce();

  const [org, superseded] = await world.settled(older.writeRequestId);
  expect(superseded?.state).toBe('superseded');
  await world.settled(newer.writeRequestId);
  const [made] = await bystander.list('person');
  expect(made?.['org_id']).toBe(Number(org?.pipedrive_id));
});

test('what a cancelled write took over is written all the same', async () => {
  const older = await world.submit({ steps: [personStep(email, { fields: { name: 'Older' } })] });
  const newer = await world.submit({ steps: [personStep(email, { fields: { name: 'Newer' } })] });
  await workOnce();
  const [superseded] = await world.stepsOf(older.writeRequestId);
  const [carrier] = await world.stepsOf(newer.writeRequestId);
  expect(superseded).toMatchObject({ state: 'superseded', superseded_by: carrier?.id });

  const requestId = newer.writeRequestId;
  await cancelRequest(db, { asker: askerOf(world.workspaceId), requestId }, new Date());
  await workOnce();

  const [written] = await world.settled(older.writeRequestId);
  expect(written).toMatchObject({ state: 'applied', sealed_body: null });
  expect(await bystander.list('person')).toMatchObject([{ name: 'Older' }]);
});

test('what was taken over is kept no longer than until it is written', async () => {
  const older = await world.submit({ steps: [personStep(email)] });
  await world.submit({ steps: [personStep(email)] });
  await workOnce();
  await workOnce();

  expect(await world.stepsOf(older.writeRequestId)).toMatchObject([
    { state: 'superseded', sealed_body: null },
  ]);
});

test('a write that takes over a more urgent one is as urgent', async () => {
  const steps = [personStep(email)];
  await world.submit({ lane: 'interactive', steps });
  const newer = await world.submit({ lane: 'bulk', steps });
  await workOnce();

  expect((await world.stepsOf(newer.writeRequestId))[0]?.lane).toBe('interactive');
});

/** What a worker does with the steps that may be sent now. */
async function workOnce(): Promise<void> {
  const now = new Date();
  const lanes = ['interactive', 'event', 'bulk'] as const;
  const until = new Date(now.getTime() + 60_000);
  const steps = await acrossWorkspaces(db, (tx) =>
    leaseSteps(tx, { lanes, limit: 10, owner: 'test', now, until }),
  );
  expect(steps).toHaveLength(1);
  for (const step of steps) await processStep(world.deps, step);
}
