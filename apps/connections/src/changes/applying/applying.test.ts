import type { ChangeSetId } from '@manifold/contracts';
import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { sql } from 'kysely';
import { afterAll, expect, test } from 'vitest';
import { migrations } from '../../migrations/index.ts';
import type { Tables, Tx } from '../../store.ts';
import { changeIdleStep } from '../../writes/sending/store.ts';
import { lockRequest } from '../../writes/store.ts';
import { createBystander } from '../../../test/bystander.ts';
import { createChanging } from '../../../test/changing.ts';
import { createPeople, named } from '../../../test/people.ts';
import { createWorld } from '../../../test/writing.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
const { makePersons, namesOf } = createPeople(bystander);
const world = await createWorld({ db, pipedrive, log: silentLog, eventually });
const changing = createChanging(world, eventually);
// nobody dies here, and a lease that runs out on a busy machine costs another read
const leaseMs = 30_000;
const startSender = () => world.startWorker({ leaseMs });
let sender = startSender();
const worker = changing.startWorker({ wakeSender: () => sender.wake(), leaseMs });

afterAll(async () => {
  await worker.stop();
  await sender.stop();
  await pipedrive.stop();
  await drop();
});

test('nothing is written before a plan is approved, then exactly what it shows', async () => {
  const [one, two] = await makePersons(2);
  const id = await changing.planned([named(one ?? 0, 'After'), named(two ?? 0, 'Before 1')]);
  expect(await namesOf([one ?? 0])).toEqual(['Before 0']);

  const set = await changing.find(id);
  expect(set).toMatchObject({ reason: 'approval_required', change_count: 2 });
  expect((await changing.totals(id)).effects).toMatchObject({ update: 1, none: 1 });

  await changing.applied(id);
  expect(await namesOf([one ?? 0, two ?? 0])).toEqual(['After', 'Before 1']);
  expect((await changing.totals(id)).states).toMatchObject({ APPLIED: 1, UNCHANGED: 1 });
});

test('only what changes is paid for: a tenth of a token to look, 5 to write', async () => {
  const ids = await makePersons(1_000);
  const before = (await bystander.ledger()).tokens;
  const rows = ids.map((id, index) => named(id, index < 100 ? 'Changed' : `Before ${index}`));
  const id = await changing.planned(rows);
  await changing.applied(id);

  const spent = (await bystander.ledger()).tokens - before;
  expect(spent).toBeLessThanOrEqual(100 * 5.3 + 900 * 0.1);
  expect((await changing.totals(id)).states).toMatchObject({ APPLIED: 100, UNCHANGED: 900 });
  const set = await changing.find(id);
  expect(set.spent_tokens + (await changing.totals(id)).costTokens).toBe(spent);
  expect(set.price_tokens).toBe(510);
}, 400_000);

test('a record that somebody changed since the plan is left alone and listed', async () => {
  const [one, two] = await makePersons(2);
  const id = await changing.planned([named(one ?? 0, 'After'), named(two ?? 0, 'After')]);
  await bystander.call('PATCH', `/api/v2/persons/${one}`, { name: 'By hand' });
  await changing.applied(id);

  expect(await namesOf([one ?? 0, two ?? 0])).toEqual(['By hand', 'After']);
  const [drifted] = await changing.changes(id, { reasons: ['record_drifted'] });
  expect(drifted).toMatchObject({ pipedrive_id: String(one), step_state: 'skipped' });
});

test('a change of another field than those to be written is no reason to stop', async () => {
  const [one] = await makePersons(1);
  const id = await changing.planned([named(one ?? 0, 'After')]);
  await bystander.call('PATCH', `/api/v2/persons/${one}`, { visible_to: 3 });
  await changing.applied(id);
  expect(await namesOf([one ?? 0])).toEqual(['After']);
});

test('a canary writes so many first, and waits with what came of them', async () => {
  const ids = await makePersons(12);
  const id = await changing.planned(ids.map((person) => named(person, 'After')));
  await changing.approve(id, 3);
  const waiting = await changing.reached(id, 'awaiting_approval');

  expect(waiting.reason).toBe('canary_finished');
  expect((await changing.totals(id)).states).toMatchObject({ APPLIED: 3, PLANNED: 9 });
  expect((await namesOf(ids)).filter((name) => name === 'After')).toHaveLength(3);
  await changing.applied(id);
  expect((await changing.totals(id)).states).toMatchObject({ APPLIED: 12 });
});

test('a change that comes to rest while its set is paused stays as it came to rest', async () => {
  const [one] = await makePersons(1);
  await sender.stop();
  const id = await changing.planned([named(one ?? 0, 'After')]);
  await changing.approve(id);
  await handedOver(id, 1);
  const [change] = await changing.changes(id);
  const step = change?.write_step_id ?? absent();
  let pausing: Promise<unknown> = Promise.resolve();
  await world.scoped(async (tx) => {
    await lockRequest(tx, change?.write_request_id ?? absent());
    pausing = changing.pause(id);
    await eventually(async () => expect(await countBlockedBy(tx)).toBeGreaterThan(0));
    await changeIdleStep(tx, step, { state: 'parked', reason: 'pipedrive_refused' });
  });
  await pausing;
  expect(await changing.changes(id)).toMatchObject([{ step_state: 'parked' }]);
  await changing.cancel(id);
  sender = startSender();
});

/** All its changes are the sender's, and the worker has let go of it. */
const handedOver = (id: ChangeSetId, count: number) =>
  eventually(
    async () => {
      expect((await changing.totals(id)).states).toMatchObject({ APPLYING: count });
      expect((await changing.find(id)).lease_until).toBeNull();
    },
    { timeoutMs: 30_000 },
  );

const absent = (): never => {
  throw new Error('there is no change');
};

const countBlockedBy = async (tx: Tx): Promise<number> => {
  const { rows } = await sql`select from pg_stat_activity
    where pg_backend_pid() = any(pg_blocking_pids(pid))`.execute(tx);
  return rows.length;
};

test('approving another plan than the one that was looked at is refused', async () => {
  const [one] = await makePersons(1);
  const id = await changing.planned([named(one ?? 0, 'After')]);
  const refusal = await changing.approveHash(id, 'f'.repeat(64)).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ kind: 'conflict', detail: { reason: 'plan_changed' } });
  expect((await changing.find(id)).state).toBe('awaiting_approval');
});

test('a paused set writes nothing more until it is resumed, and a cancelled one never', async () => {
  const ids = await makePersons(30);
  await sender.stop();
  const id = await changing.planned(ids.map((person) => named(person, 'After')));
  await changing.approve(id);
  await handedOver(id, 30);
  await changing.pause(id);
  expect((await changing.totals(id)).states).toMatchObject({ PLANNED: 30 });

  const again = startSender();
  expect(await namesOf(ids.slice(0, 1))).toEqual(['Before 0']);
  await changing.resume(id);
  await changing.reached(id, 'done');
  expect((await namesOf(ids)).filter((name) => name === 'After')).toHaveLength(30);

  const other = await changing.planned(ids.map((person) => named(person, 'Never')));
  await changing.cancel(other);
  await changing.reached(other, 'cancelled');
  expect((await changing.totals(other)).states).toMatchObject({ CANCELLED: 30 });
  expect(await namesOf(ids.slice(0, 1))).toEqual(['After']);
  await again.stop();
}, 60_000);
