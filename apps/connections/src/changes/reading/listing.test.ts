import {
  createTestDatabase,
  eventually,
  silentLog,
  startTestGraph,
  startTestPipedrive,
} from '@manifold/testing';
import { ChangeSetId } from '@manifold/contracts';
import { afterAll, expect, test } from 'vitest';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import { createBystander } from '../../../test/bystander.ts';
import { createChanging } from '../../../test/changing.ts';
import { createPeople } from '../../../test/people.ts';
import { APPROVE, createAsking, READ, SET, setSubgraph, UNDO } from '../../../test/set-graph.ts';
import { createWorld } from '../../../test/writing.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const { makePersons } = createPeople(createBystander(pipedrive));
const world = await createWorld({ db, pipedrive, log: silentLog, eventually });
const stranger = await createWorld({
  ...{ db, pipedrive, log: silentLog, eventually, vault: world.vault },
});
const changing = createChanging(world, eventually);
const sender = world.startWorker();
const worker = changing.startWorker({ wakeSender: sender.wake });
const wakes = { sender: sender.wake, worker: worker.wake };
let statements = 0;
const counting = db.withPlugin({
  transformQuery: ({ node }) => {
    statements += 1;
    return node;
  },
  transformResult: ({ result }) => Promise.resolve(result),
});
const { graph, stop } = await startTestGraph(setSubgraph(world, wakes, counting));
const { ask, planNames, namesPlanned, ended } = createAsking(world, graph, eventually);

afterAll(async () => {
  await worker.stop();
  await sender.stop();
  await stop();
  await pipedrive.stop();
  await drop();
});

test('sets are listed by what was asked, and none of another workspace', async () => {
  const LIST = `query ($filter: ChangeSetFilter) { changeSets(filter: $filter, first: 1) {
    totalCount nodes { id kind } pageInfo { hasNextPage } } }`;
  const [one] = await makePersons(1);
  const set = await namesPlanned({ After: one });
  await ask(APPROVE, { input: { id: set.id, hash: set.hash } });
  await ended(set.id);
  await ask(UNDO, { input: { id: set.id } });
  const { data } = await ask(LIST, { filter: { kind: 'UNDO' } });
  expect(data.changeSets).toMatchObject({ totalCount: 1, nodes: [{ kind: 'UNDO' }] });
  const all = await ask(LIST, {});
  expect(all.data.changeSets.pageInfo.hasNextPage).toBe(true);
  const elsewhere = await ask(LIST, {}, { of: stranger });
  expect(elsewhere.data.changeSets.totalCount).toBe(0);
  const { id } = all.data.changeSets.nodes[0];
  const foreign = await ask(READ, { id }, { of: stranger });
  expect(foreign.data.changeSet).toBeNull();
  const input = { id, hash: 'x' };
  const refused = await ask(APPROVE, { input }, { of: stranger });
  expect(refused.errors[0].extensions.reason).toBe('record_not_found');
}, 60_000);

test('twenty sets with all that is told of them take no more statements than one', async () => {
  const [one] = await makePersons(1);
  const ids: string[] = [];
  for (let made = 0; made < 20; made += 1) {
    const { data } = await planNames({ [`Name ${made}`]: one });
    ids.push(data.planChangeSet.changeSet.id);
  }
  for (const id of ids) await changing.reached(ChangeSetId.parse(id), 'awaiting_approval');
  const LIST = `query ($first: Int!) { changeSets(filter: { state: [AWAITING_APPROVAL], kind: WRITE },
    first: $first) { nodes { ${SET} forecast { tokens calls endsAt } } } }`;
  const count = async (first: number) => {
    const before = statements;
    const { data } = await ask(LIST, { first });
    expect(data.changeSets.nodes).toHaveLength(first);
    for (const node of data.changeSets.nodes) expect(node.forecast.tokens).toBeGreaterThan(0);
    return statements - before;
  };
  const forOne = await count(1);
  expect(forOne).toBeGreaterThan(5);
  expect(await count(20)).toBe(forOne);
}, 60_000);
