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
import { APPROVE, createAsking, mutationOf, READ, setSubgraph } from '../../../test/set-graph.ts';
import { createWorld } from '../../../test/writing.ts';
import { UserId } from '@manifold/contracts';
import { newId, withWorkspace } from '@manifold/database';
import { setConnection } from '../../accounts/store.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const { makePersons } = createPeople(createBystander(pipedrive));
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

test('a viewer sees what happens but no values, and decides nothing', async () => {
  const [one] = await makePersons(1);
  const made = await planNames({ After: one });
  const { id, hash } = await planned(made.data.planChangeSet.changeSet.id);
  const { data } = await ask(READ, { id }, { role: 'VIEWER' });
  expect(data.changeSet.changes.nodes[0]).toMatchObject({ changedKeys: ['name'], fields: null });
  for (const role of ['VIEWER', 'MEMBER'] as const) {
    const { errors } = await ask(APPROVE, { input: { id, hash } }, { role });
    expect(errors[0].extensions.reason).toBe('role_too_low');
  }
});

test('through somebody’s own connection nobody else plans or approves', async () => {
  const [one] = await makePersons(1);
  const { data } = await planNames({ Mine: one });
  const { id, hash } = await planned(data.planChangeSet.changeSet.id);
  const ofWhom = (kind: 'PERSONAL' | 'ORGANIZATION') =>
    withWorkspace(db, world.workspaceId, (tx) =>
      setConnection(tx, world.connection.id, { kind, user_id: newId('us', UserId) }),
    );
  await ofWhom('PERSONAL');
  const refused = [await planNames({ Theirs: one }), await ask(APPROVE, { input: { id, hash } })];
  await ofWhom('ORGANIZATION');
  expect(refused.map(({ errors }) => errors[0].extensions)).toMatchObject([
    { reason: 'connection_of_another_user', field: 'input.connectionId' },
    { reason: 'connection_of_another_user', field: 'input.id' },
  ]);
  expect((await planned(id)).state).toBe('AWAITING_APPROVAL');
});

test('a set that was approved and not started is started by an approver only', async () => {
  const [one] = await makePersons(1);
  const made = await planNames({ After: one });
  const { id, hash } = await planned(made.data.planChangeSet.changeSet.id);
  await ask(APPROVE, { input: { id, hash, starts: false } });
  const RESUME = mutationOf('resumeChangeSet', 'ChangeSetInput');
  const { errors } = await ask(RESUME, { input: { id } }, { role: 'MEMBER' });
  expect(errors[0].extensions.reason).toBe('role_too_low');
  await ask(RESUME, { input: { id } });
  await ended(id);
});

test('a canary that is approved twice with one key is one canary', async () => {
  const [one, two, three] = await makePersons(3);
  const made = await planNames({ First: one, Second: two, Third: three });
  const { id, hash } = await planned(made.data.planChangeSet.changeSet.id);
  const input = { id, hash, first: 1, idempotencyKey: 'canary' };
  await ask(APPROVE, { input });
  const waiting = { state: 'AWAITING_APPROVAL', reason: 'canary_finished' };
  await eventually(async () =>
    expect((await ask(READ, { id })).data.changeSet).toMatchObject(waiting),
  );
  const repeated = await ask(APPROVE, { input });
  expect(repeated.data.approveChangeSet.changeSet).toMatchObject({ state: 'AWAITING_APPROVAL' });
  const other = await ask(APPROVE, { input: { ...input, first: 2 } });
  expect(other.errors[0].extensions.reason).toBe('duplicate_idempotency_key');
  await ask(APPROVE, { input: { id, hash } });
  await ended(id);
}, 60_000);
