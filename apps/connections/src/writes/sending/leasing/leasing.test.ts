import { acrossWorkspaces } from '@manifold/database';
import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { personStep } from '../../../../test/write-commands.ts';
import { createWorld, type World } from '../../../../test/writing.ts';
import { setWindows } from '../../../budget/store.ts';
import { migrations } from '../../../migrations/index.ts';
import type { Tables } from '../../../store.ts';
import type { Step } from '../../store.ts';
import { leaseSteps } from './store.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive();
const lanes = ['interactive', 'event', 'bulk'] as const;
let companies = 0;
let world: World;

beforeEach(async () => {
  companies += 1;
  // what earlier tests left is held
  await lease(1_000);
  world = await newWorld();
});
afterAll(async () => {
  await pipedrive.stop();
  await drop();
});

test('a long job and a short one of one connection take turns, whichever was there first', async () => {
  await submit(world, 40, 'enrichment');
  await submit(world, 4, 'referrals');
  const first = await lease(8);
  expect(jobsOf(first)).toEqual({ enrichment: 4, referrals: 4 });
});

test('what a job has in hand counts, so a full house of one makes room for the other', async () => {
  await submit(world, 40, 'enrichment');
  expect(jobsOf(await lease(6))).toEqual({ enrichment: 6 });
  await submit(world, 4, 'referrals');
  const next: Step[] = [];
  for (let freed = 0; freed < 4; freed += 1) next.push(...(await lease(1)));
  expect(jobsOf(next)).toEqual({ referrals: 4 });
});

test('two workspaces of one company take turns', async () => {
  const other = await newWorld();
  await submit(world, 40, 'enrichment');
  await submit(other, 4, 'enrichment');
  const leased = await lease(8);
  const own = (of: World) => leased.filter(({ workspace_id }) => workspace_id === of.workspaceId);
  expect([own(world).length, own(other).length]).toEqual([4, 4]);
});

test('people come before events, and events before jobs', async () => {
  await submit(world, 5, 'enrichment');
  await submit(world, 1, 'tracking', 'event');
  await submit(world, 1, 'referrals', 'interactive');
  expect(jobsOf(await lease(2))).toEqual({ tracking: 1, referrals: 1 });
});

test('steps stay where they are while their credential rests', async () => {
  await submit(world, 2, 'enrichment');
  const { company_id, pipedrive_user_id } = world.connection;
  const resting = {
    credential: `user:${company_id}:${pipedrive_user_id}`,
    company_id,
    burst_limit: null,
    burst: [],
    search: [],
    pause_reason: 'pipedrive_blocked' as const,
    blocks: 1,
    probe_until: null,
  };
  const pauseUntil = (paused_until: Date) =>
    acrossWorkspaces(db, (tx) => setWindows(tx, [{ ...resting, paused_until }]));
  await pauseUntil(new Date(Date.now() + 60_000));
  expect(await lease(5)).toEqual([]);
  await pauseUntil(new Date(Date.now() - 60_000));
  expect(await lease(5)).toHaveLength(2);
});

// builders

const newWorld = () =>
  createWorld({ db, pipedrive, log: silentLog, eventually, companyId: `company-${companies}` });

async function submit(of: World, count: number, service: string, lane: Step['lane'] = 'bulk') {
  for (let index = 0; index < count; index += 1) {
    const steps = [personStep(`${service}${index}@${companies}.example.test`)];
    await of.submit({ lane, steps, cause: { service, type: 'Job', id: `job-${index}` } });
  }
}

async function lease(limit: number): Promise<Step[]> {
  const now = new Date();
  const until = new Date(now.getTime() + 60_000);
  return acrossWorkspaces(db, (tx) => leaseSteps(tx, { lanes, limit, owner: 'test', now, until }));
}

const jobsOf = (steps: readonly Step[]): Record<string, number> =>
  Object.fromEntries(
    [...Map.groupBy(steps, ({ job }) => job)].map(([job, own]) => [job, own.length]),
  );
