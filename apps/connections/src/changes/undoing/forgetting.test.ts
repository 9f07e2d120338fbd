import type { ChangeSetId } from '@manifold/contracts';
import {
  captureLog,
  createTestDatabase,
  eventually,
  silentLog,
  startTestPipedrive,
} from '@manifold/testing';
import { sql } from 'kysely';
import { afterAll, expect, test } from 'vitest';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import { createBystander } from '../../../test/bystander.ts';
import { createChanging } from '../../../test/changing.ts';
import { listEvents } from '../../../test/looking.ts';
import { createPeople, named } from '../../../test/people.ts';
import { askerOf, commandOf, personStep } from '../../../test/write-commands.ts';
import { createWorld } from '../../../test/writing.ts';
import { forgetImages } from './forgetting.ts';
import { openChangeSet } from '../opening/opening.ts';
import { storeWrite } from '../../writes/submitting.ts';

const { db, ownerDb, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const { makePersons } = createPeople(createBystander(pipedrive));
let aheadMs = 0;
const now = () => new Date(Date.now() + aheadMs);
const world = await createWorld({ db, pipedrive, log: silentLog, eventually, now });
const changing = createChanging(world, eventually);

afterAll(async () => {
  await pipedrive.stop();
  await drop();
});

const DAY_MS = 24 * 3_600_000;
/** What is forgotten so many days later. */
const forgetAfter = (days: number, log = silentLog) => {
  aheadMs += days * DAY_MS;
  return forgetImages({ db, log, now });
};

/** With a worker at hand, for as long as it takes. */
async function working<Result>(work: () => Promise<Result>): Promise<Result> {
  const sender = world.startWorker();
  const worker = changing.startWorker({ wakeSender: sender.wake });
  try {
    return await work();
  } finally {
    await Promise.all([worker.stop(), sender.stop()]);
  }
}

const planOne = async () => {
  const [one] = await makePersons(1);
  return working(() => changing.planned([named(one, 'Ada Canary')]));
};

async function openOne(): Promise<ChangeSetId> {
  const asker = askerOf(world.workspaceId);
  const opening = {
    connectionId: world.connection.id,
    title: 'Never closed',
    cause: { service: 'connections', type: 'User', id: asker.actor.id },
    guardRails: undefined,
    idempotencyKey: undefined,
  };
  return world.scoped(async (tx) => {
    const { id } = await openChangeSet(tx, { opening, asker }, now());
    const command = { steps: [personStep('ada@example.test')], changeSetId: id };
    const { workspaceId, connection, vault } = world;
    const of = { workspaceId, connectionId: connection.id };
    await storeWrite({ tx, vault }, commandOf(of, command), { now: now() });
    return id;
  });
}

const ways: Record<string, () => Promise<ChangeSetId>> = {
  open: openOne,
  planning: () => changing.plan([named(1, 'Ada Canary')]),
  awaiting_approval: planOne,
  paused: async () => {
    const id = await planOne();
    await changing.approve(id);
    await changing.pause(id);
    return id;
  },
};

test.each(Object.keys(ways))(
  'a set that stays %s is cancelled 30 days after the last decision about it, and its values are gone',
  async (state) => {
    const id = (await ways[state]?.()) ?? absent();
    expect(await changing.find(id)).toMatchObject({ state });
    await forgetAfter(29);
    expect(await changing.find(id)).toMatchObject({ state });

    await forgetAfter(2);
    const set = await working(() => changing.reached(id, 'cancelled'));
    expect(set).toMatchObject({ reason: 'plan_expired', images_until: null });
    expect(await changing.changes(id)).toMatchObject([
      { step_state: 'cancelled', sealed_before: null, sealed_after: null },
    ]);
    const bodies = await world.scoped((tx) =>
      tx.selectFrom('write_step').select('sealed_body').where('job', '=', id).execute(),
    );
    expect(bodies).toEqual([{ sealed_body: null }]);
    const events = await listEvents(db, world.workspaceId, 'change_set_finished');
    expect(events.find(({ payload }) => payload.changeSetId === id)?.payload).toMatchObject({
      outcome: 'cancelled',
      reason: 'plan_expired',
    });
  },
);

test('a decision about a plan keeps it for another 30 days', async () => {
  const id = await planOne();
  aheadMs += 20 * DAY_MS;
  await changing.approve(id);
  await changing.pause(id);
  await forgetAfter(29);
  expect(await changing.find(id)).toMatchObject({ state: 'paused' });
  await forgetAfter(2);
  expect(await changing.find(id)).toMatchObject({ state: 'cancelling', reason: 'plan_expired' });
});

test('one set whose values cannot be removed keeps no other one from losing its own', async () => {
  const ids: ChangeSetId[] = [];
  for (let made = 0; made < 3; made += 1) ids.push(await planOne());
  const [stuck, ...others] = ids;
  await sql`create function refuse_change() returns trigger language plpgsql as
    $$ begin raise exception 'not this one'; end $$`.execute(ownerDb);
  await sql`create trigger refuse_change before update on change for each row
    when (old.change_set_id = ${sql.lit(stuck)}) execute function refuse_change()`.execute(ownerDb);
  const { log, lines } = captureLog();
  await forgetAfter(31, log);

  for (const id of others) expect(await changing.find(id)).toMatchObject({ state: 'cancelling' });
  expect(await changing.find(stuck ?? absent())).toMatchObject({ state: 'awaiting_approval' });
  expect(lines.filter((line) => line.includes('not removed'))).toHaveLength(1);
  expect(lines.join('')).toContain(stuck);
});

const absent = (): never => {
  throw new Error('there is no change set');
};
