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
import { createPeople } from '../../../test/people.ts';
import { createAsking, setSubgraph } from '../../../test/set-graph.ts';
import { createWorld } from '../../../test/writing.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const { makePersons, namesOf } = createPeople(createBystander(pipedrive));
const world = await createWorld({ db, pipedrive, log: silentLog, eventually });
const changing = createChanging(world, eventually);
const sender = world.startWorker();
const worker = changing.startWorker({ wakeSender: sender.wake });
const wakes = { sender: sender.wake, worker: worker.wake };
const { graph, stop } = await startTestGraph(setSubgraph(world, wakes));
const { ask, planNames, planned, ended } = createAsking(world, graph, eventually);

afterAll(async () => {
  await worker.stop();
  await sender.stop();
  await stop();
  await pipedrive.stop();
  await drop();
});

test('the policy says what goes on by itself and who may say yes', async () => {
  const SET_POLICY = `mutation ($input: WritePolicyInput!) { setWritePolicy(input: $input) {
    writePolicy { automatic automaticMaxRecords imageDays approverRole
      guardRails { maxRecords maxPercent allowDeletes allowMerges } } } }`;
  const input = {
    automatic: 'UPDATES',
    automaticMaxRecords: 5,
    approverRole: 'MEMBER',
    imageDays: 7,
  };
  const refused = await ask(SET_POLICY, { input }, { role: 'MEMBER' });
  expect(refused.errors[0].extensions.reason).toBe('role_too_low');
  const { data } = await ask(SET_POLICY, { input });
  expect(data.setWritePolicy.writePolicy).toMatchObject({
    ...input,
    guardRails: { maxRecords: null },
  });

  const [one] = await makePersons(1);
  const made = await planNames({ After: one });
  await ended(made.data.planChangeSet.changeSet.id);
  expect(await namesOf([one])).toEqual(['After']);
  const railed = await planNames({ Again: one }, { guardRails: { maxRecords: 0 } });
  expect(await planned(railed.data.planChangeSet.changeSet.id)).toMatchObject({
    state: 'AWAITING_APPROVAL',
    reason: 'too_many_records',
  });
  await ask(SET_POLICY, { input: {} });
}, 60_000);
