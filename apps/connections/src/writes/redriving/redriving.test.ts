import type { ChangeSetId, WriteStepId } from '@manifold/contracts';
import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, expect, test } from 'vitest';
import { createBystander } from '../../../test/bystander.ts';
import { createChanging } from '../../../test/changing.ts';
import { createPeople, named } from '../../../test/people.ts';
import { askerOf } from '../../../test/write-commands.ts';
import { createWorld } from '../../../test/writing.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import { changeIdleStep, removeTurns } from '../sending/store.ts';
import { findRequest, findStep } from '../store.ts';
import { redriveMany, redriveStep } from './commands.ts';
import { stoppedStates } from './rules.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
const { makePersons } = createPeople(bystander);
const world = await createWorld({ db, pipedrive, log: silentLog, eventually });
const changing = createChanging(world, eventually);
const worker = changing.startWorker();
const asker = askerOf(world.workspaceId);

afterAll(async () => {
  await worker.stop();
  await pipedrive.stop();
  await drop();
});

test('what is parked in a paused change set is sent again only when the set goes on', async () => {
  const { set, stepId } = await parkedInSet();
  await changing.pause(set);

  expect(await refusalOf(stepId)).toMatchObject({
    kind: 'precondition',
    detail: {
      reason: 'change_set_not_ready',
      field: 'input.writeStepId',
      fix: expect.stringContaining('resume'),
    },
  });
  const filter = { reasons: ['pipedrive_refused' as const] };
  expect(await redriveMany(db, { asker, userId: asker.actor.id, filter }, new Date())).toEqual({
    redriven: 0,
    remaining: 0,
    heldBack: 1,
  });
  expect(await stateOf(stepId)).toBe('parked');

  await changing.resume(set);
  expect(await redriveMany(db, { asker, userId: asker.actor.id, filter }, new Date())).toEqual({
    redriven: 1,
    remaining: 0,
    heldBack: 0,
  });
  expect(await stateOf(stepId)).toBe('queued');
});

test('what is parked in a change set that is being cancelled stays parked', async () => {
  const { set, stepId } = await parkedInSet();
  await changing.cancel(set);

  expect(await refusalOf(stepId)).toMatchObject({
    detail: { reason: 'change_set_not_ready', fix: expect.stringContaining('another change set') },
  });
  expect(await stateOf(stepId)).toBe('parked');
});

test('nothing of a set is sent that is not applied, approved or done', () => {
  expect(stoppedStates).toEqual([
    'open',
    'planning',
    'paused',
    'cancelling',
    'cancelled',
    'failed',
  ]);
});

// builders

const stateOf = async (id: WriteStepId) => (await world.scoped((tx) => findStep(tx, id)))?.state;

const refusalOf = (stepId: WriteStepId) =>
  redriveStep(
    db,
    { asker, userId: asker.actor.id, stepId, idempotencyKey: undefined },
    new Date(),
  ).catch((error: unknown) => error);

/** A set that is applied, with a step that Pipedrive refused. */
async function parkedInSet(): Promise<{ set: ChangeSetId; stepId: WriteStepId }> {
  const set = await changing.planned([named((await makePersons(1))[0], 'After')]);
  await changing.approve(set);
  await eventually(async () =>
    expect((await changing.totals(set)).states).toMatchObject({ APPLYING: 1 }),
  );
  const [change] = await changing.changes(set);
  if (change === undefined) throw new Error('there is no change');
  const { write_step_id: stepId, write_request_id: requestId } = change;
  const end = { reason: 'pipedrive_refused', settled_at: new Date() } as const;
  await world.scoped(async (tx) => {
    await changeIdleStep(tx, stepId, { ...end, state: 'parked' });
    await removeTurns(tx, stepId);
  });
  // its request is still open to the set, which would end otherwise
  expect((await world.scoped((tx) => findRequest(tx, requestId)))?.state).toBe('pending');
  return { set, stepId };
}
