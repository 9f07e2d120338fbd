import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { createBystander } from '../../../test/bystander.ts';
import { commandOf, leadStep, personStep } from '../../../test/write-commands.ts';
import { createWorld } from '../../../test/writing.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import { redriveStep } from '../redriving/commands.ts';
import { decideSupersede } from './rules.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
const world = await createWorld({ db, pipedrive, log: silentLog, eventually });
const worker = world.startWorker();

beforeEach(() => bystander.reset());
afterAll(async () => {
  await worker.stop();
  await pipedrive.stop();
  await drop();
});

test('a refused write gives way to a corrected one, and nothing brings it back', async () => {
  const email = 'corrected@example.test';
  const first = newCommand([refusedPerson(email), leadStep()]);
  const { writeRequestId } = await world.submit(first);
  const [parked] = await world.settled(writeRequestId, 'parked');

  const second = { ...newCommand([personStep(email), leadStep()]), supersedes: keyOf(first) };
  const corrected = await world.submit(second);
  await redrive(parked);

  const states = (await world.settled(corrected.writeRequestId)).map(({ state }) => state);
  expect(states).toEqual(['applied', 'applied']);
  const old = (await world.settled(writeRequestId)).map(({ state }) => state);
  expect(old).toEqual(['cancelled', 'cancelled']);
  expect(await bystander.list('person')).toHaveLength(1);
  expect(await bystander.list('lead')).toHaveLength(1);
  expect(await world.submit(second)).toMatchObject({ repeated: true });
});

test('a write of which a part is in Pipedrive keeps its place', async () => {
  const email = 'half@example.test';
  const first = newCommand([personStep(email), leadStep({ fields: { title: '' } })]);
  const { writeRequestId } = await world.submit(first);
  await world.settled(writeRequestId, 'parked');

  const second = { ...newCommand([personStep(email), leadStep()]), supersedes: keyOf(first) };
  await expect(world.submit(second)).rejects.toMatchObject({
    kind: 'precondition',
    detail: { reason: 'already_written', fix: expect.stringContaining('redrive') },
  });
  const states = (await world.stepsOf(writeRequestId)).map(({ state }) => state);
  expect(states).toEqual(['applied', 'parked']);
});

const sent = new Date('2026-03-01');
test.each([
  ['was only tried', { state: 'cancelled', sent_at: null }, undefined],
  ['ended without a write', { state: 'skipped', sent_at: null }, undefined],
  ['was written', { state: 'applied', sent_at: sent }, 'precondition already_written'],
  ['is being written', { state: 'sending', sent_at: sent }, 'unavailable service_unavailable'],
  ['is in doubt', { state: 'cancelled', sent_at: sent }, 'precondition outcome_unknown'],
] as const)('what %s gives way, or says why not', (_, step, expected) => {
  const decision = decideSupersede([step]);
  const refused = decision.outcome === 'go' ? undefined : `${decision.kind} ${decision.reason}`;
  expect(refused).toBe(expected);
});

type Steps = NonNullable<Parameters<typeof world.submit>[0]['steps']>;

const newCommand = (steps: Steps) => {
  const { workspace_id: workspaceId, id: connectionId } = world.connection;
  return commandOf({ workspaceId, connectionId }, { steps });
};

const keyOf = ({ idempotencyKey }: { idempotencyKey: string }) => idempotencyKey;

const refusedPerson = (email: string) =>
  personStep(email, { fields: { name: '', owner_id: 99_999 } });

const redrive = (step: { id: Parameters<typeof redriveStep>[1]['stepId'] } | undefined) => {
  if (!step) throw new Error('no step');
  const { workspaceId } = world;
  const actor = { kind: 'service', id: 'test' } as const;
  const asker = { workspaceId, actor, correlationId: 'test' };
  return redriveStep(
    db,
    { asker, userId: asker.actor.id, stepId: step.id, idempotencyKey: undefined },
    new Date(),
  );
};
