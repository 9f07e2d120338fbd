import { acrossWorkspaces } from '@manifold/database';
import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, expect, test } from 'vitest';
import { createBystander } from '../../../test/bystander.ts';
import { createChanging } from '../../../test/changing.ts';
import { named } from '../../../test/people.ts';
import { personStep } from '../../../test/write-commands.ts';
import { createWorld } from '../../../test/writing.ts';
import { dayOf } from '../../budget/rules.ts';
import { findDay } from '../../budget/store.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import { leaseSteps } from '../../writes/sending/leasing/store.ts';
import { processStep } from '../../writes/sending/process.ts';
import type { Step } from '../../writes/store.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
let aheadMs = 0;
let held: Step[] = [];
const now = () => new Date(Date.now() + aheadMs);
const world = await createWorld({ db, pipedrive, log: silentLog, eventually, now });
const changing = createChanging(world, eventually);
const worker = changing.startWorker();

afterAll(async () => {
  await worker.stop();
  await pipedrive.stop();
  await drop();
});

const EMAIL = 'one@example.test';

test('a change that finds its record in other hands takes no place for a call until it is its turn', async () => {
  const emails = [{ value: EMAIL, primary: true }];
  const { id } = await bystander.create('person', { name: 'Before', emails });
  const set = await changing.planned([[personStep(EMAIL, { fields: { name: 'Planned' } })]]);
  const { writeRequestId } = await world.submit({ steps: named(String(id), 'By hand') });
  await changing.approve(set);
  const steps = await eventually(async () => {
    const due = [...held, ...(await lease())];
    held = due;
    expect(due).toHaveLength(2);
    return due;
  });
  const planned = steps.find((step) => step.write_request_id !== writeRequestId);
  if (!planned) throw new Error('the change is not due');
  const before = await taken();
  // what was seen at the release is too old to be trusted
  aheadMs += 300_000;
  await processStep(world.deps, planned);

  expect(await taken()).toEqual(before);
  expect(await bystander.requests()).not.toContainEqual(
    expect.objectContaining({ method: 'PATCH' }),
  );
});

// builders

function lease(): Promise<Step[]> {
  const until = new Date(now().getTime() + 600_000);
  const lanes = ['interactive', 'event', 'bulk'] as const;
  return acrossWorkspaces(db, (tx) =>
    leaseSteps(tx, { lanes, limit: 10, owner: 'test', now: now(), until }),
  );
}

/** Tokens spent and reserved today. */
const taken = () =>
  world.scoped(async (tx) => {
    const day = await findDay(tx, world.connection.company_id, dayOf(now()));
    return { spent: day?.spent_tokens, reserved: day?.reserved };
  });
