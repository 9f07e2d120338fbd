import { acrossWorkspaces } from '@manifold/database';
import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { sql } from 'kysely';
import { afterAll, expect, test } from 'vitest';
import { createBystander } from '../../../../test/bystander.ts';
import { personStep } from '../../../../test/write-commands.ts';
import { createWorld } from '../../../../test/writing.ts';
import { migrations } from '../../../migrations/index.ts';
import type { Tables } from '../../../store.ts';
import { holdStep } from '../held.ts';
import { leaseSteps } from '../leasing/store.ts';
import { processStep } from '../process.ts';
import { endStep } from './settle.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
const world = await createWorld({ db, pipedrive, log: silentLog, eventually });
const EMAIL = 'one@example.test';

afterAll(async () => {
  await pipedrive.stop();
  await drop();
});

test('the end of a step takes what is known of a record before its links, as a webhook does', async () => {
  await world.submit({ steps: [personStep(EMAIL)] });
  await processStep(world.deps, await leased());
  const held = await again('Later');
  const id = held.links[0]?.pipedrive_id ?? '';
  let ending: Promise<void> | undefined;
  await world.scoped(async (tx) => {
    const known = await sql`select 1 from record_hash for update`.execute(tx);
    expect(known.rows).toHaveLength(1);
    const record = { id, updateTime: new Date().toISOString(), fields: { name: 'Later' } };
    ending = endStep(world.deps, held, { state: 'applied', effect: 'updated', record });
    await eventually(async () => expect(await countWaiting()).toBe(1));
    const free = await world.scoped((other) =>
      sql`select 1 from link for update skip locked`.execute(other),
    );
    expect(free.rows).toHaveLength(1);
  });
  await ending;
});

test('what was spent on a step is entered by the next transaction when the first one fails', async () => {
  const held = await again('Paid');
  await held.client.getRecord('person', String((await bystander.list('person'))[0]?.id));
  const { workspace_id, write_request_id } = held.step;
  const failing = held.keepSpent(async () => {
    expect(held.takeSpent()).toBe(1);
    throw new Error('the database went away');
  });
  await expect(failing).rejects.toThrow('went away');
  await endStep(world.deps, held, { state: 'no_change', reason: 'nothing_to_change' });
  expect(workspace_id).toBe(world.workspaceId);
  expect(await world.stepsOf(write_request_id)).toMatchObject([{ cost_tokens: 1 }]);
});

// builders

async function again(name: string) {
  await world.submit({ steps: [personStep(EMAIL, { fields: { name } })] });
  const held = await holdStep(world.deps, await leased());
  if (held === undefined) throw new Error('its connection is gone');
  return held;
}

async function leased() {
  const now = new Date();
  const until = new Date(now.getTime() + 60_000);
  const [step] = await acrossWorkspaces(db, (tx) =>
    leaseSteps(tx, { lanes: ['interactive'], limit: 1, owner: 'test', now, until }),
  );
  if (step === undefined) throw new Error('nothing is due');
  return step;
}

/** Statements that wait for a lock. */
async function countWaiting(): Promise<number> {
  const { rows } = await sql`select pid from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`.execute(db);
  return rows.length;
}
