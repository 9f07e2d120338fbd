import { createTestDatabase, eventually, silentLog } from '@manifold/testing';
import { afterAll, expect, test } from 'vitest';
import { personStep } from '../../../../test/write-commands.ts';
import { createWorld, NOWHERE } from '../../../../test/writing.ts';
import { migrations } from '../../../migrations/index.ts';
import type { Tables } from '../../../store.ts';
import { changeIdleStep } from '../store.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = { url: NOWHERE, controlUrl: NOWHERE, apiToken: 'none' };
const world = await createWorld({ db, pipedrive, log: silentLog, eventually });

afterAll(drop);

test('a step whose body cannot be opened is kept for a person after some tries', async () => {
  const { writeRequestId: id } = await world.submit({ steps: [personStep('shut@example.test')] });
  const [step] = await world.stepsOf(id);
  if (step === undefined) throw new Error('there is no step');
  const spoilt = { sealed_body: 'spoilt', attempts: 10 };
  await world.scoped((tx) => changeIdleStep(tx, step.id, spoilt));
  const worker = world.startWorker();
  const [parked] = await world.settled(id, 'parked');
  await worker.stop();
  expect(parked).toMatchObject({ state: 'parked', reason: 'handler_failed' });
});
