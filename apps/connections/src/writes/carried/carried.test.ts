import { acrossWorkspaces } from '@manifold/database';
import type { FieldValue, WriteRequestId } from '@manifold/contracts';
import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { createBystander } from '../../../test/bystander.ts';
import { listEvents } from '../../../test/looking.ts';
import { askerOf, personStep } from '../../../test/write-commands.ts';
import { createWorld, type World } from '../../../test/writing.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import { cancelRequest } from '../commands.ts';
import { holdStep } from '../sending/held.ts';
import { leaseSteps } from '../sending/leasing/store.ts';
import { processStep } from '../sending/process.ts';
import { endStep } from '../sending/ending/settle.ts';
import type { Step } from '../store.ts';
import { bodyWithCarried, mayCarryMore } from './rules.ts';

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

const email = 'carried@example.test';
const phone = [{ value: '+1 202 555 0100', label: 'work', primary: true }];

test('what a cancelled write handed over is not written by the one that took it', async () => {
  const older = await write({ name: 'Older', phones: phone });
  const newer = await write({ name: 'Newer' });
  await workOnce();
  await cancel(older);
  await workOnce();

  expect((await world.stepsOf(older))[0]).toMatchObject({
    state: 'cancelled',
    reason: 'cancelled_by_user',
    superseded_by: null,
    sealed_body: null,
  });
  await world.settled(newer);
  const [made] = await bystander.list('person');
  expect(made?.['name']).toBe('Newer');
  expect(JSON.stringify(made?.['phones'] ?? [])).not.toContain('555');
  const told = await listEvents(db, world.workspaceId, 'write_request_settled');
  expect(told.filter(({ payload }) => payload.writeRequestId === older).at(-1)).toMatchObject({
    payload: { outcome: 'cancelled' },
  });
});

test('cancelled in the middle, what came before it is written all the same', async () => {
  const first = await write({ name: 'First' });
  const second = await write({ phones: phone });
  await write({ visible_to: 1 });
  await workOnce();
  await workOnce();
  await cancel(second);
  await workOnce();

  const [made] = await bystander.list('person');
  expect(made).toMatchObject({ name: 'First', visible_to: 1 });
  expect(JSON.stringify(made?.['phones'] ?? [])).not.toContain('555');
  expect(await world.stepsOf(first)).toMatchObject([{ state: 'superseded', sealed_body: null }]);
});

test('cancelled while the other one is about to be sent, that one looks anew', async () => {
  const older = await write({ phones: phone });
  await write({ name: 'Newer' });
  await workOnce();
  const [carrier] = await lease();
  const held = carrier && (await holdStep(world.deps, carrier));
  expect(held?.body.fields).toHaveProperty('phones');
  await cancel(older);
  if (!held) throw new Error('nothing to send');
  await endStep(world.deps, held, { state: 'parked', reason: 'handler_failed' });
  await workOnce();

  const [made] = await bystander.list('person');
  expect(made?.['name']).toBe('Newer');
  expect(JSON.stringify(made?.['phones'] ?? [])).not.toContain('555');
});

test('what was written with another one stays written when it is cancelled', async () => {
  const older = await write({ name: 'Older' });
  await write({ visible_to: 1 });
  await workOnce();
  await workOnce();
  await cancel(older);

  expect((await world.stepsOf(older))[0]?.state).toBe('superseded');
  expect(await bystander.list('person')).toMatchObject([{ name: 'Older' }]);
});

test('what a replaced write took over is written all the same', async () => {
  const older = await write({ name: 'Older' });
  const steps = [personStep(email, { fields: { visible_to: 1 } })];
  await world.submit({ steps, idempotencyKey: 'replaced' });
  await workOnce();
  const other = [personStep('other@example.test', { fields: { name: 'Other' } })];
  await world.submit({ steps: other, supersedes: 'replaced' });
  await workOnce(2);

  expect(await world.stepsOf(older)).toMatchObject([{ state: 'applied', effect: 'created' }]);
  const names = (await bystander.list('person')).map(({ name }) => String(name));
  expect(names.toSorted()).toEqual(['Older', 'Other']);
});

test('what a skipped write took over is written all the same', async () => {
  const older = await write({ name: 'Older' });
  const newer = await write({ visible_to: 1 });
  await workOnce();
  const [carrier] = await lease();
  const held = carrier && (await holdStep(world.deps, carrier));
  if (!held) throw new Error('nothing to send');
  await endStep(world.deps, held, { state: 'skipped', reason: 'edited_since' });
  await workOnce();

  expect(await world.stepsOf(newer)).toMatchObject([{ state: 'skipped' }]);
  expect(await world.stepsOf(older)).toMatchObject([{ state: 'applied' }]);
  expect(await bystander.list('person')).toMatchObject([{ name: 'Older' }]);
});

test('a write that took over others is joined with them in the order they came', () => {
  const body = (fields: Record<string, string>) => ({
    ...{ identity: [], createOnlyFields: {}, survivor: [], onlyWhere: {} },
    fields,
  });
  const rows = [
    { id: 'a', superseded_by: 'b', existing: 'update' as const, body: body({ x: 'a', y: 'a' }) },
    { id: 'b', superseded_by: 'd', existing: 'update' as const, body: body({ y: 'b', z: 'b' }) },
    { id: 'c', superseded_by: 'd', existing: 'update' as const, body: body({ z: 'c' }) },
    { id: 'd', superseded_by: null, existing: 'update' as const, body: body({ w: 'd' }) },
  ];
  const [carrier] = rows.slice(-1);
  if (!carrier) throw new Error('there is one');
  const joined = bodyWithCarried(carrier, rows.slice(0, -1), (row) => row.body);
  expect(joined.fields).toEqual({ w: 'd', x: 'a', y: 'b', z: 'c' });
  expect([49, 50].map(mayCarryMore)).toEqual([true, false]);
});

// builders

const write = async (fields: Record<string, FieldValue>) =>
  (await world.submit({ steps: [personStep(email, { fields })] })).writeRequestId;

const cancel = (requestId: WriteRequestId) =>
  cancelRequest(db, { asker: askerOf(world.workspaceId), requestId }, new Date());

function lease(): Promise<Step[]> {
  const now = new Date();
  const until = new Date(now.getTime() + 60_000);
  return acrossWorkspaces(db, (tx) =>
    leaseSteps(tx, { lanes: ['interactive'], limit: 10, owner: 'test', now, until }),
  );
}

/** What a worker does with the steps that may be sent now. */
async function workOnce(count = 1): Promise<void> {
  const steps = await lease();
  expect(steps).toHaveLength(count);
  for (const step of steps) await processStep(world.deps, step);
}
