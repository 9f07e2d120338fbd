import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, expect, test } from 'vitest';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import { createBystander } from '../../../test/bystander.ts';
import { createChanging } from '../../../test/changing.ts';
import { createPeople, named } from '../../../test/people.ts';
import { createWorld } from '../../../test/writing.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
const { makePersons } = createPeople(bystander);
const world = await createWorld({ db, pipedrive, log: silentLog, eventually });
const changing = createChanging(world, eventually);

afterAll(async () => {
  await pipedrive.stop();
  await drop();
});

test.runIf(process.env['MANIFOLD_LONG'] === '1')(
  'a set that changes 1,000 of 10,000 records costs 5.3 tokens for each of them and 0.1 for each other',
  async () => {
    const ids = await makePersons(10_000);
    const rows = ids.map((id, index) =>
      named(id, index % 10 === 0 ? 'Changed' : `Before ${index}`),
    );
    const before = (await bystander.ledger()).tokens;
    const sender = world.startWorker();
    const worker = changing.startWorker({ wakeSender: sender.wake });
    const id = await changing.plan(rows);
    await changing.reached(id, 'awaiting_approval', 300_000);
    await changing.approve(id);
    await changing.reached(id, 'done', 600_000);
    await Promise.all([worker.stop(), sender.stop()]);

    const spent = (await bystander.ledger()).tokens - before;
    expect((await changing.totals(id)).states).toMatchObject({ APPLIED: 1_000, UNCHANGED: 9_000 });
    expect(spent).toBeLessThanOrEqual(1_000 * 5.3 + 9_000 * 0.1);
  },
  1_200_000,
);
