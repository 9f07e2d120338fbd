import { acrossWorkspaces } from '@manifold/database';
import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { createBystander } from '../../../../test/bystander.ts';
import { personStep } from '../../../../test/write-commands.ts';
import { createWorld, type World } from '../../../../test/writing.ts';
import { sumOf } from '../../../budget/reservations/rules.ts';
import { dayOf } from '../../../budget/rules.ts';
import { findDay } from '../../../budget/store.ts';
import { migrations } from '../../../migrations/index.ts';
import type { Tables } from '../../../store.ts';
import type { Vault } from '../../../vault/seal.ts';
import type { Step } from '../../store.ts';
import { leaseSteps } from '../leasing/store.ts';
import { processStep } from '../process.ts';
import { leastSettleMs, SEND_WITHIN_MS } from './rules.ts';

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

test('a process that stalls between noting a create and making it notes it anew', async () => {
  const { writeRequestId } = await world.submit({ steps: [personStep('stalled@example.test')] });
  const later = await carryOutStalling(SEND_WITHIN_MS + 1);

  expect(await posts()).toHaveLength(0);
  expect(await reservedTokens()).toBe(0);
  expect(await world.stepsOf(writeRequestId)).toMatchObject([
    { state: 'queued', sent_at: null, sent_effect: null, sealed_sent: null, sent_hashes: null },
  ]);

  await processStep(world.deps, await leased(new Date(later.getTime() + 1_000)));
  expect(await world.stepsOf(writeRequestId)).toMatchObject([{ effect: 'created' }]);
  expect(await posts()).toHaveLength(1);
});

test('one that stalls no longer than is reckoned with makes its call', async () => {
  const { writeRequestId } = await world.submit({ steps: [personStep('slow@example.test')] });
  await carryOutStalling(SEND_WITHIN_MS - 1_000);

  expect(await world.stepsOf(writeRequestId)).toMatchObject([{ effect: 'created' }]);
});

test('the settle time outlasts the latest call, made once more with a new token', () => {
  const call = { timeoutMs: 20_000, againWithinMs: 10_000 };
  expect(leastSettleMs(call)).toBeGreaterThan(SEND_WITHIN_MS + 30_000);
});

// builders

/** Carries a step out in a process that stands still once the call in hand is noted. */
async function carryOutStalling(byMs: number): Promise<Date> {
  let stalledMs = 0;
  const now = () => new Date(Date.now() + stalledMs);
  const vault: Vault = {
    ...world.vault,
    // what is to be sent is sealed right after the moment it is noted at
    seal: (place, plain) => {
      if (place.column === 'sealed_sent') stalledMs = byMs;
      return world.vault.seal(place, plain);
    },
  };
  await processStep({ ...world.deps, vault, now }, await leased());
  expect(stalledMs).toBe(byMs);
  return now();
}

/** Of calls that are thought to be under way. */
const reservedTokens = () =>
  world.scoped(async (tx) => {
    const day = await findDay(tx, world.connection.company_id, dayOf(new Date()));
    return sumOf(day?.reserved ?? [[0, Number.NaN]]);
  });

const posts = async () =>
  (await bystander.requests()).filter(
    ({ method, path }) => method === 'POST' && path === '/api/v2/persons',
  );

async function leased(now = new Date()): Promise<Step> {
  const until = new Date(now.getTime() + 60_000);
  const [step] = await acrossWorkspaces(db, (tx) =>
    leaseSteps(tx, { lanes: ['interactive'], limit: 1, owner: 'test', now, until }),
  );
  if (step === undefined) throw new Error('nothing is due');
  return step;
}
