import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { type BudgetPlan, planOf } from '../../budget/rules.ts';
import { allowExternalId } from '../../fields/external-id/commands.ts';
import { listExternalIdFields } from '../../fields/external-id/store.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import { createBystander } from '../../../test/bystander.ts';
import { createChanging } from '../../../test/changing.ts';
import { personStep, stepOf } from '../../../test/write-commands.ts';
import { createWorld, type World } from '../../../test/writing.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
let world: World;
let changing: ReturnType<typeof createChanging>;
let stop: () => Promise<void>;

beforeEach(() => connect());
const connect = async (plan?: BudgetPlan) => {
  await bystander.reset();
  const of = { db, pipedrive, log: silentLog, eventually };
  world = await createWorld(plan === undefined ? of : { ...of, plan });
  changing = createChanging(world, eventually);
  const sender = world.startWorker();
  const worker = changing.startWorker({ wakeSender: sender.wake });
  stop = async () => {
    await worker.stop();
    await sender.stop();
  };
};
afterEach(() => stop());
afterAll(async () => {
  await pipedrive.stop();
  await drop();
});

test('of several new records at once one makes the field, and none is searched for twice', async () => {
  await allow();
  const first = await pay(['one', 'two', 'three'].map(looked));
  const next = await pay([looked('four')]);
  expect([first.spent, next.spent]).toEqual([first.estimate, next.estimate]);
  expect([first.estimate, next.estimate]).toEqual([3 * 25 + 15, 25]);
  expect(await codeOf('person')).toEqual(expect.any(String));
});

test('a set planned before the consent does without the field, which its price does not count', async () => {
  const before = await changing.planned([made('One Inc')]);
  await allow();
  expect(await applied(before)).toEqual({ estimate: 5, spent: 5 });
  expect(await codeOf('organization')).toBeNull();

  expect(await pay([made('Two Inc')])).toEqual({ estimate: 20, spent: 20 });
  expect(await codeOf('organization')).toEqual(expect.any(String));
});

test('in a narrow window of calls no record is searched for again because its create has to wait', async () => {
  await stop();
  await connect(planOf({ plan: 'lite', seats: 1, dailyTokens: undefined }));
  const { estimate, spent } = await pay(Array.from({ length: 18 }, (_, row) => looked(`n${row}`)));
  expect(estimate).toBe(18 * 25);
  expect(spent).toBe(estimate);
}, 60_000);

// builders

type Row = Parameters<typeof changing.planned>[0][number];

const looked = (name: string): Row => [personStep(`${name}@example.test`)];
const made = (name: string): Row => [stepOf('organization', 'create', { fields: { name } })];

/** Tokens a set was to take once approved, and what Pipedrive has charged for it. */
async function applied(id: Awaited<ReturnType<typeof changing.planned>>) {
  const { price_tokens: estimate } = await changing.find(id);
  const before = await bystander.ledger();
  await changing.applied(id);
  const after = await bystander.ledger();
  return { estimate: estimate ?? 0, spent: after.tokens - before.tokens };
}

const pay = async (rows: Row[]) => applied(await changing.planned(rows));

const allow = () =>
  allowExternalId(world.deps, world.connection, {
    objects: ['person', 'organization'],
    by: world.connection.user_id,
  });

const codeOf = async (object: 'person' | 'organization') => {
  const { company_id } = world.connection;
  const fields = await world.scoped((tx) => listExternalIdFields(tx, [company_id]));
  return fields.find((field) => field.object === object)?.field_code;
};
