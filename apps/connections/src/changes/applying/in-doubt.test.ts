import {
  createTestDatabase,
  eventually,
  silentLog,
  startTestGraph,
  startTestPipedrive,
} from '@manifold/testing';
import { afterAll, expect, test } from 'vitest';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import { createBystander } from '../../../test/bystander.ts';
import { createChanging } from '../../../test/changing.ts';
import { createPeople, named } from '../../../test/people.ts';
import { setSubgraph } from '../../../test/set-graph.ts';
import { createWorld } from '../../../test/writing.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
const { makePersons, readPersons } = createPeople(bystander);
let aheadMs = 0;
const now = () => new Date(Date.now() + aheadMs);
// as long as it takes to edit a record while nobody knows what came of the call
const settleMs = 600_000;
const world = await createWorld({ db, pipedrive, log: silentLog, eventually, now, settleMs });
const changing = createChanging(world, eventually);
const sender = world.startWorker();
const worker = changing.startWorker({ wakeSender: sender.wake });

const { graph, stop } = await startTestGraph({
  ...setSubgraph(world, { sender: sender.wake, worker: worker.wake }),
  caller: { workspaceId: world.workspaceId },
});

afterAll(async () => {
  await stop();
  await worker.stop();
  await sender.stop();
  await pipedrive.stop();
  await drop();
});

const READ = `query ($id: ID!) { changeSet(id: $id) { changes(first: 1) { nodes {
  state reason cause fix writeStep { reason cause fix } } } } }`;
const shown = async (id: string) => (await graph(READ, { id })).data.changeSet.changes.nodes;

const editByHand = (id: number | undefined, fields: object) =>
  bystander.call('POST', '/control/edit', { object: 'person', id, fields });
const unknown = (id: Parameters<typeof changing.changes>[0]) =>
  eventually(
    async () => expect(await changing.changes(id)).toMatchObject([{ step_state: 'unknown' }]),
    { timeoutMs: 10_000 },
  );

test('an update that was written before its call broke off counts as applied, and as undone but for what was edited since', async () => {
  const [one] = await makePersons(1);
  const [earlier] = await readPersons([one]);
  const paidBefore = (await bystander.ledger()).tokens;
  const rows = named(one, 'After').map((step) => ({
    ...step,
    fields: { name: 'After', visible_to: 1 },
  }));
  const id = await changing.planned([rows]);
  await bystander.fault('cut-after', { method: 'PATCH' });
  await changing.approve(id);
  await unknown(id);
  const words = {
    reason: 'outcome_unknown',
    cause: expect.stringMatching(/^Pipedrive gave no answer .+ not known yet/),
    fix: expect.stringMatching(/^Nothing needs to be done: it is looked for/),
  };
  expect(await shown(id)).toMatchObject([{ state: 'APPLYING', ...words, writeStep: words }]);
  await editByHand(one, { name: 'By hand' });
  aheadMs += 2 * settleMs;
  const set = await changing.reached(id, 'done');

  const [change] = await changing.changes(id);
  expect(change).toMatchObject({
    step_state: 'applied',
    reason: 'edited_since',
    changed_keys: ['visible_to'],
    kept_keys: ['name'],
  });
  const paid = (await bystander.ledger()).tokens - paidBefore;
  expect(set.spent_tokens + (await changing.totals(id)).costTokens).toBe(paid);

  const undo = await changing.undo(id);
  await changing.reached(undo, 'awaiting_approval');
  await changing.applied(undo);
  const [later] = await readPersons([one]);
  expect(later).toMatchObject({ name: 'By hand', visible_to: earlier?.['visible_to'] });
}, 60_000);

test('an update that was not written before its call broke off is skipped when somebody edited the record', async () => {
  const [one] = await makePersons(1);
  const id = await changing.planned([named(one, 'After')]);
  await bystander.fault('cut-before', { method: 'PATCH' });
  await changing.approve(id);
  await unknown(id);
  await editByHand(one, { name: 'By hand' });
  aheadMs += 2 * settleMs;
  await changing.reached(id, 'done');
  expect(await changing.changes(id)).toMatchObject([
    { step_state: 'skipped', step_reason: 'record_drifted', kept_keys: [] },
  ]);
});
