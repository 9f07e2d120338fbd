import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, expect, test } from 'vitest';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import { createBystander } from '../../../test/bystander.ts';
import { createChanging } from '../../../test/changing.ts';
import { createPeople, named } from '../../../test/people.ts';
import { createTracking } from '../../../test/tracking.ts';
import { leadStep, personStep } from '../../../test/write-commands.ts';
import { createWorld } from '../../../test/writing.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
const { makePersons } = createPeople(bystander);
const world = await createWorld({ db, pipedrive, log: silentLog, eventually });
const changing = createChanging(world, eventually);
const sender = world.startWorker();
const worker = changing.startWorker({ wakeSender: sender.wake });

afterAll(async () => {
  await worker.stop();
  await sender.stop();
  await pipedrive.stop();
  await drop();
});

type Rows = Parameters<typeof changing.planned>[0];

const guardRails = { maxPercent: 10, allowDeletes: true };
const reasonOf = async (rows: Rows) =>
  (await changing.find(await changing.planned(rows, { guardRails }))).reason;

const deleting = (id: number | undefined): Rows[number] =>
  named(id, 'unused').map((step) => ({ ...step, operation: 'delete' as const, fields: {} }));

/** Tokens a set was estimated to take, and what it took from its approval to its end. */
async function pay(rows: Rows) {
  const id = await changing.planned(rows, { guardRails });
  const { price_tokens: estimate, spent_tokens: planning } = await changing.find(id);
  await changing.applied(id);
  const { spent_tokens: reading } = await changing.find(id);
  const { costTokens, states } = await changing.totals(id);
  return { estimate: estimate ?? 0, spent: reading - planning + costTokens, states };
}

test.each([
  ['updates', async () => (await makePersons(3)).map((id) => named(id, 'After'))],
  ['deletions', async () => (await makePersons(3)).map(deleting)],
  [
    'new records that are looked for',
    async () => ['one', 'two'].map((name) => [personStep(`${name}-${Date.now()}@example.test`)]),
  ],
  [
    'new records with another behind them',
    async () => [[personStep(`three-${Date.now()}@example.test`), leadStep()]],
  ],
] as const)('what %s take is what was estimated, to the token', async (_, rowsOf) => {
  const { estimate, spent, states } = await pay(await rowsOf());
  expect(states).toMatchObject({ SKIPPED: 0, PARKED: 0 });
  expect(spent).toBe(estimate);
});

test('one record is no large part, and of known records it is told how large a part is', async () => {
  const ids = await makePersons(30);
  expect(await reasonOf([named(ids[0], 'After')])).toBe('approval_required');
  expect(await reasonOf(ids.map((id) => named(id, 'After')))).toBe('too_large_a_part');

  const tracking = createTracking(world);
  await tracking.track([{ kind: 'email' }]);
  await tracking.settle();
  expect(await reasonOf(ids.slice(0, 3).map((id) => named(id, 'After')))).toBe('approval_required');
  expect(await reasonOf(ids.slice(0, 9).map((id) => named(id, 'After')))).toBe('too_large_a_part');
});

test('where an index covers the identity, the estimate is right but for one look into it', async () => {
  const { estimate, spent } = await pay([[personStep(`indexed-${Date.now()}@example.test`)]]);
  expect(Math.abs(spent - estimate)).toBeLessThanOrEqual(10);
});
