import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { sql } from 'kysely';
import { afterAll, expect, test } from 'vitest';
import { createBystander } from '../../../test/bystander.ts';
import { createChanging } from '../../../test/changing.ts';
import { createPeople, named } from '../../../test/people.ts';
import { createWorld } from '../../../test/writing.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import { lockLinesOf } from '../../writes/sending/turns/store.ts';
import { listSteps, type Step } from '../../writes/store.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const { makePersons } = createPeople(createBystander(pipedrive));
const world = await createWorld({ db, pipedrive, log: silentLog, eventually });
const changing = createChanging(world, eventually);
const worker = changing.startWorker({ leaseMs: 30_000 });

afterAll(async () => {
  await worker.stop();
  await pipedrive.stop();
  await drop();
});

test('sets with the same records in another order wait for each other, and never in a ring', async () => {
  const ids = await makePersons(3);
  const inLine = await stepsOf(await changing.planned(ids.map((id) => named(id, 'Known'))));
  const ordered = inLine.toSorted((a, b) => (firstLine(a) < firstLine(b) ? -1 : 1));
  const inOrder = ordered.map(({ target_pipedrive_id: id }) => id ?? '');
  // the sender is handed them in the order of the rows
  const set = await changing.planned(inOrder.toReversed().map((id) => named(id, 'After')));
  const [first, ...others] = ordered;
  await world.scoped(async (tx) => {
    await lockLinesOf(tx, first === undefined ? [] : [first]);
    await changing.approve(set);
    await eventually(async () => expect(await countWaiting()).toBe(1));
    // what waits for the first line holds none of the others
    expect(await world.scoped((another) => lockAtOnce(another, others))).toBe('locked');
  });

  await eventually(async () =>
    expect((await changing.totals(set)).states).toMatchObject({ APPLYING: 3 }),
  );
});

// builders

async function stepsOf(set: Parameters<typeof changing.changes>[0]) {
  const changes = await changing.changes(set);
  return world.scoped((tx) =>
    listSteps(
      tx,
      changes.map((change) => change.write_request_id),
    ),
  );
}

/** The line of a step that is locked before all its others. */
const firstLine = ({ key_hashes: hashes, target_pipedrive_id: id }: Step): string =>
  [...hashes, `record|person|${id}`].toSorted()[0] ?? '';

type Taking = Parameters<typeof lockLinesOf>;

async function lockAtOnce(tx: Taking[0], steps: Taking[1]): Promise<'locked'> {
  await sql`set local lock_timeout = '2s'`.execute(tx);
  await lockLinesOf(tx, steps);
  return 'locked';
}

/** Statements that wait for a lock. */
async function countWaiting(): Promise<number> {
  const { rows } = await sql`select pid from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`.execute(db);
  return rows.length;
}
