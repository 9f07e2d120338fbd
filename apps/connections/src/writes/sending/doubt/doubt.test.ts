import type { PipedriveClient } from '@manifold/pipedrive';
import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { createBystander } from '../../../../test/bystander.ts';
import { askerOf, leadStep } from '../../../../test/write-commands.ts';
import { createWorld, type World } from '../../../../test/writing.ts';
import { migrations } from '../../../migrations/index.ts';
import type { Tables } from '../../../store.ts';
import { redriveStep } from '../../redriving/commands.ts';
import type { Step } from '../../store.ts';
import type { SendingDeps } from '../held.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
const closing: (() => Promise<void>)[] = [];
let world: World;

beforeEach(async () => {
  await bystander.reset();
  world = await createWorld({ db, pipedrive, log: silentLog, eventually });
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
afterAll(async () => {
  await pipedrive.stop();
  await drop();
});

const lead = leadStep({ references: {}, guard: 'always' });

test('a create in doubt that cannot be looked for is looked for when it is redriven, not repeated', async () => {
  const person = await bystander.create('person', { name: 'Ada', emails: [] });
  await bystander.fault('cut-after', { method: 'POST', path: '/api/v1/leads' });
  let mayList = false;
  run(async (client, ...list) =>
    mayList ? client.listRecords(...list) : { outcome: 'scope_missing' },
  );
  const fields = { title: 'Once', person_id: Number(person.id) };
  const { writeRequestId } = await world.submit({ steps: [{ ...lead, fields }] });
  const [parked] = await world.settled(writeRequestId, 'parked');
  expect(parked?.reason).toBe('scope_missing');

  mayList = true;
  await redrive(parked);
  const [step] = await world.settled(writeRequestId);

  expect(step).toMatchObject({ state: 'applied', effect: 'created' });
  expect(await bystander.list('lead')).toHaveLength(1);
});

test('where too much has changed to look through, a create in doubt is parked, and costs no more', async () => {
  await bystander.fault('cut-before', { method: 'POST', path: '/api/v1/leads' });
  let lists = 0;
  run(async () => {
    lists += 1;
    return { outcome: 'ok', data: [], nextCursor: String(lists) };
  });
  const { writeRequestId } = await world.submit({ steps: [lead] });
  const [parked] = await world.settled(writeRequestId, 'parked');

  expect(parked).toMatchObject({ reason: 'outcome_unknown' });
  expect(parked?.cause).toContain('more records');
  expect(lists).toBe(40);
});

// builders

/** A worker whose lists are answered by `list`. */
function run(
  list: (
    client: PipedriveClient,
    ...args: Parameters<PipedriveClient['listRecords']>
  ) => ReturnType<PipedriveClient['listRecords']>,
) {
  const clientFor: SendingDeps['clientFor'] = async (...use) => {
    const client = await world.deps.clientFor(...use);
    return { ...client, listRecords: (...args) => list(client, ...args) };
  };
  closing.push(world.startWorker({ clientFor }).stop);
}

const redrive = async (step: Step | undefined) => {
  if (!step) throw new Error('no step');
  const asked = {
    asker: askerOf(step.workspace_id),
    userId: 'us_1',
    stepId: step.id,
    idempotencyKey: undefined,
  };
  await redriveStep(db, asked, new Date());
};
