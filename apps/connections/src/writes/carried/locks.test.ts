import type { FieldValue, WriteRequestId } from '@manifold/contracts';
import { acrossWorkspaces } from '@manifold/database';
import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { askerOf, personStep } from '../../../test/write-commands.ts';
import { createWorld, type World } from '../../../test/writing.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import { cancelRequest, cancelRequestsOf } from '../commands.ts';
import { holdStep } from '../sending/held.ts';
import { leaseSteps } from '../sending/leasing/store.ts';
import { processStep } from '../sending/process.ts';
import { endStep } from '../sending/ending/settle.ts';
import type { Step } from '../store.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const ROUNDS = 15;
let world: World;
let round = 0;

beforeEach(async () => {
  world = await createWorld({ db, pipedrive, log: silentLog, eventually });
});
afterAll(async () => {
  await pipedrive.stop();
  await drop();
});

test('a write and those it carries are cancelled at once by several people, round after round', async () => {
  for (let turn = 0; turn < ROUNDS; turn += 1) {
    const joined = await threeJoined();
    const ended = await Promise.allSettled(joined.map(cancel));
    expect(failuresOf(ended)).toEqual([]);
    for (const id of joined) expect(await statesOf(id)).toEqual(['cancelled']);
  }
}, 60_000);

test('a write is skipped while those it carries are cancelled', async () => {
  for (let turn = 0; turn < ROUNDS; turn += 1) {
    const [first, second, third] = await threeJoined();
    const [carrier] = await lease();
    const held = carrier && (await holdStep(world.deps, carrier));
    if (!held) throw new Error('nothing to send');
    const skip = () => endStep(world.deps, held, { state: 'skipped', reason: 'edited_since' });
    const ended = await Promise.allSettled([cancel(first), skip(), cancel(second)]);
    expect(failuresOf(ended)).toEqual([]);
    for (const id of [first, second]) expect(await statesOf(id)).toEqual(['cancelled']);
    await cancel(third);
  }
}, 60_000);

test('a connection loses its writes while people cancel them', async () => {
  for (let turn = 0; turn < ROUNDS; turn += 1) {
    const joined = await threeJoined();
    const ended = await Promise.allSettled([...joined.map(cancel), removal()]);
    expect(failuresOf(ended)).toEqual([]);
    const states = await Promise.all(joined.map(statesOf));
    expect(states.flat()).not.toContain('queued');
  }
}, 60_000);

// builders

type Three = [WriteRequestId, WriteRequestId, WriteRequestId];

/** Three writes to one person, each of which was handed over to the next. */
async function threeJoined(): Promise<Three> {
  round += 1;
  const email = `locked${round}@example.test`;
  const write = async (fields: Record<string, FieldValue>) =>
    (await world.submit({ steps: [personStep(email, { fields })] })).writeRequestId;
  const three: Three = [
    await write({ name: 'First' }),
    await write({ visible_to: 1 }),
    await write({ visible_to: 3 }),
  ];
  for (const next of three.slice(0, 2)) {
    const [step] = await lease();
    expect(step?.write_request_id).toBe(next);
    if (step) await processStep(world.deps, step);
  }
  return three;
}

const cancel = (requestId: WriteRequestId) =>
  cancelRequest(db, { asker: askerOf(world.workspaceId), requestId }, new Date());

const removal = () =>
  world.scoped((tx) =>
    cancelRequestsOf(tx, world.connection.id, {
      asker: askerOf(world.workspaceId),
      now: new Date(),
    }),
  );

const statesOf = async (id: WriteRequestId) => (await world.stepsOf(id)).map(({ state }) => state);

const failuresOf = (ended: readonly PromiseSettledResult<unknown>[]) =>
  ended.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []));

async function lease(): Promise<Step[]> {
  const now = new Date();
  const until = new Date(now.getTime() + 60_000);
  const leased = await acrossWorkspaces(db, (tx) =>
    leaseSteps(tx, { lanes: ['interactive'], limit: 10, owner: 'test', now, until }),
  );
  // a round that failed may have left some of an earlier test
  return leased.filter((step) => step.workspace_id === world.workspaceId);
}
