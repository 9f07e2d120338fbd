import { withWorkspace } from '@manifold/database';
import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { sql } from 'kysely';
import { afterAll, expect, test } from 'vitest';
import { personStep } from '../../../test/write-commands.ts';
import { createWorld } from '../../../test/writing.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables, Tx } from '../../store.ts';
import { listSteps } from '../store.ts';
import { liftLanes } from './store.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive();
const world = await createWorld({ db, pipedrive, log: silentLog, eventually });

afterAll(async () => {
  await pipedrive.stop();
  await drop();
});

test('those who lift the same steps take them in one order, so that they wait for each other and never in a ring', async () => {
  const ids = await submitLine(12);
  const [first = '', ...others] = ids.toSorted();
  const last = ids.at(-1) ?? '';
  let lifted: Promise<unknown> = Promise.resolve();
  // the table's own order is another one
  await scoped((tx) =>
    tx.updateTable('write_step').set({ attempts: 0 }).where('id', '=', stepOf(first).id).execute(),
  );

  await scoped(async (tx) => {
    await lock(tx, [first]);
    lifted = scoped(async (lifting) => {
      await readInTableOrder(lifting);
      await liftLanes(lifting, stepOf(last), new Date());
    });
    await eventually(async () => expect(await countWaiting()).toBe(1));
    // who waits for the first holds none of the others
    expect(await scoped((third) => lock(third, others))).toBe(others.length);
  });
  await lifted;

  const lanes = await scoped((tx) => tx.selectFrom('write_step').select('lane').execute());
  expect(new Set(lanes.map(({ lane }) => lane))).toEqual(new Set(['interactive']));
});

// builders

const scoped = <Result>(work: (tx: Tx) => Promise<Result>) =>
  withWorkspace<Tables, Result>(db, world.workspaceId, work);

const stepOf = (id: string) => ({
  workspace_id: world.workspaceId,
  id: id as Parameters<typeof liftLanes>[1]['id'],
});

/** Steps of one person, one behind the other; their ids in that order. */
async function submitLine(count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let place = 0; place < count; place += 1) {
    const { writeRequestId } = await world.submit({
      lane: 'bulk',
      steps: [personStep('line@example.test', { operation: 'create' })],
    });
    const [step] = await scoped((tx) => listSteps(tx, [writeRequestId]));
    ids.push(step?.id ?? '');
  }
  return ids;
}

/** As a large table may be read, whichever plan the database chooses for a small one. */
async function readInTableOrder(tx: Tx): Promise<void> {
  for (const way of ['indexscan', 'indexonlyscan', 'bitmapscan', 'nestloop', 'mergejoin', 'sort'])
    await sql`select set_config(${`enable_${way}`}, 'off', true)`.execute(tx);
}

/** Takes the rows nobody holds; returns how many. */
async function lock(tx: Tx, ids: readonly string[]): Promise<number> {
  const { rows } = await sql`select id from write_step where id in (${sql.join(ids)})
    for update skip locked`.execute(tx);
  return rows.length;
}

/** Statements on steps that wait for a lock. */
async function countWaiting(): Promise<number> {
  const { rows } = await sql`select pid from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`.execute(db);
  return rows.length;
}
