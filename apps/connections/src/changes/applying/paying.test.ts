import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, expect, test } from 'vitest';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import { changeHeldStep } from '../../writes/sending/store.ts';
import { createBystander } from '../../../test/bystander.ts';
import { createChanging } from '../../../test/changing.ts';
import { createPeople, named } from '../../../test/people.ts';
import { createWorld } from '../../../test/writing.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
const { makePersons } = createPeople(bystander);
let aheadMs = 0;
const begun = Date.now();
/** A clock that goes slowly, so that little time passes between two steps on a busy machine. */
const now = () => new Date(begun + (Date.now() - begun) / 5 + aheadMs);
const world = await createWorld({ db, pipedrive, log: silentLog, eventually, now });
const changing = createChanging(world, eventually);
const leaseMs = 30_000;
let sender = world.startWorker({ leaseMs });
const worker = changing.startWorker({ wakeSender: () => sender.wake(), leaseMs });

afterAll(async () => {
  await worker.stop();
  await sender.stop();
  await pipedrive.stop();
  await drop();
});

const paidSoFar = async () => (await bystander.ledger()).tokens;

test('pausing and going on costs nothing at once, and later one more list for a hundred open changes', async () => {
  const ids = await makePersons(120);
  const id = await changing.planned(ids.map((person) => named(person, 'After')));
  await sender.stop();
  await changing.approve(id);
  await handedOver(id);
  const before = await paidSoFar();
  await goOnAgain(id);
  expect((await paidSoFar()) - before).toBe(0);

  aheadMs += 60_000;
  await goOnAgain(id);
  expect((await paidSoFar()) - before).toBe(20);

  await changing.cancel(id);
  sender = world.startWorker({ leaseMs });
}, 60_000);

const handedOver = (id: Parameters<typeof changing.find>[0]) =>
  eventually(
    async () => expect((await changing.totals(id)).states).toMatchObject({ APPLYING: 120 }),
    { timeoutMs: 20_000 },
  );
const goOnAgain = async (id: Parameters<typeof changing.find>[0]) => {
  await changing.pause(id);
  await changing.resume(id);
  await handedOver(id);
};

test('what was spent on a change is counted, also by a sender that lost its lease meanwhile', async () => {
  const [one] = await makePersons(1);
  const id = await changing.planned([named(one, 'After')]);
  const [change] = await changing.changes(id);
  const lost = { id: change?.write_step_id ?? absent(), fence: -1 };
  const lease = { ...lost, workspace_id: world.workspaceId };
  const isHeld = await world.scoped((tx) => changeHeldStep(tx, lease, { reason: null }, 5));
  expect(isHeld).toBe(false);
  expect(await changing.totals(id)).toMatchObject({ costTokens: 5 });
  await changing.cancel(id);
});

test('what a plan has read for before it failed is counted', async () => {
  const ids = await makePersons(20);
  await bystander.fault('500', { method: 'GET', path: '/api/v2/persons' });
  const rows = [...ids, ...ids].map((person, index) =>
    named(person, 'After').map((step) => ({
      ...step,
      object: index < 20 ? ('person' as const) : ('organization' as const),
    })),
  );
  const id = await changing.plan(rows);
  const set = await eventually(
    async () => {
      const found = await changing.find(id);
      expect(['failed', 'awaiting_approval', 'done']).toContain(found.state);
      return found;
    },
    { timeoutMs: 15_000 },
  );
  const calls = await world.scoped((tx) =>
    tx
      .selectFrom('api_call')
      .select(['operation', 'tokens'])
      .where('change_set_id', '=', id)
      .where('operation', 'in', ['getPersons', 'getOrganizations'])
      .execute(),
  );
  // the organizations were read once more after the persons could not be
  expect(calls.filter(({ operation }) => operation === 'getOrganizations').length).toBeGreaterThan(
    1,
  );
  expect(set.spent_tokens).toBe(calls.reduce((sum, { tokens }) => sum + tokens, 0));
});

const absent = (): never => {
  throw new Error('there is no change');
};
