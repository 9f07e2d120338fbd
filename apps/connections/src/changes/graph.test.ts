import {
  createTestDatabase,
  eventually,
  silentLog,
  startTestGraph,
  startTestPipedrive,
} from '@manifold/testing';
import { ChangeSetId } from '@manifold/contracts';
import { afterAll, expect, test } from 'vitest';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';
import { createBystander } from '../../test/bystander.ts';
import { createChanging } from '../../test/changing.ts';
import { createPeople } from '../../test/people.ts';
import {
  APPROVE,
  createAsking,
  mutationOf,
  PLAN,
  READ,
  setSubgraph,
  UNDO,
  wantName,
} from '../../test/set-graph.ts';
import { createWorld } from '../../test/writing.ts';

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

const ADD = `mutation ($input: AddToChangeSetInput!) { addToChangeSet(input: $input) {
  changeSet { id state progress { total } } } }`;

test('a list of wishes is planned, shown, approved, applied and undone', async () => {
  const [one, two] = await makePersons(2);
  const { data } = await planNames({ After: one, 'Before 1': two });
  const { id } = data.planChangeSet.changeSet;
  const shown = await planned(id);
  expect(shown).toMatchObject({
    title: 'Names',
    kind: 'WRITE',
    reason: 'approval_required',
    priceEstimate: 6,
    priceSpent: 2,
    effects: { create: 0, update: 1, none: 1 },
    outcomes: { planned: 2, applied: 0 },
    progress: { done: 2, total: 2 },
    connection: { id: world.connection.id },
    cause: { type: 'User' },
    changes: {
      totalCount: 2,
      nodes: [
        {
          object: 'PERSON',
          state: 'PLANNED',
          effect: 'UPDATE',
          matchedBy: 'PIPEDRIVE_ID',
          pipedriveId: String(one),
          fields: [{ code: 'name', before: 'Before 0', after: 'After' }],
        },
        { effect: 'NONE', reason: 'nothing_to_change', fields: [] },
      ],
    },
  });

  await ask(APPROVE, { input: { id, hash: shown.hash } });
  expect(await ended(id)).toMatchObject({
    canBeUndone: true,
    outcomes: { applied: 1, unchanged: 1 },
    changes: { nodes: [{ state: 'APPLIED' }, { state: 'UNCHANGED' }] },
  });
  expect(await namesOf([one])).toEqual(['After']);
  expect(await featuresOf(id)).toEqual(['change_set_applying', 'change_set_planning']);

  const undone = await ask(UNDO, { input: { id } });
  const undo = await planned(undone.data.undoChangeSet.changeSet.id);
  expect(undo).toMatchObject({ kind: 'UNDO', undoes: { id }, changes: { totalCount: 1 } });
  expect(undo.changes.nodes[0].undoes.id).toBe(shown.changes.nodes[0].id);
  await ask(APPROVE, { input: { id: undo.id, hash: undo.hash } });
  await ended(undo.id);
  expect(await namesOf([one])).toEqual(['Before 0']);
  const after = await ask(READ, { id });
  expect(after.data.changeSet.undoneBy).toEqual({ id: undo.id });
}, 60_000);

test('a set that stays open takes more wishes, each list once', async () => {
  const [one, two] = await makePersons(2);
  const opened = await planNames({ After: one }, { staysOpen: true });
  const { id, state } = opened.data.planChangeSet.changeSet;
  expect(state).toBe('OPEN');
  const input = { id, changes: [wantName(two, 'After')], idempotencyKey: 'second' };
  await ask(ADD, { input });
  const repeated = await ask(ADD, { input });
  expect(repeated.data.addToChangeSet.changeSet.progress.total).toBe(2);
  await ask(mutationOf('closeChangeSet', 'ChangeSetInput'), { input: { id } });
  expect(await planned(id)).toMatchObject({ effects: { update: 2 } });
  const late = await ask(ADD, { input: { ...input, idempotencyKey: 'third' } });
  expect(late.errors[0].extensions.reason).toBe('change_set_not_open');
});

test('asking for a plan twice with one key makes one set', async () => {
  const [one] = await makePersons(1);
  const key = { idempotencyKey: 'one-plan' };
  const first = await planNames({ After: one }, key);
  const second = await planNames({ After: one }, key);
  const other = await planNames({ Other: one }, key);
  expect(second.data.planChangeSet.changeSet.id).toBe(first.data.planChangeSet.changeSet.id);
  expect(other.errors[0].extensions.reason).toBe('duplicate_idempotency_key');
});

test('what cannot be wished for is refused with the row at fault', async () => {
  const changes = [
    wantName(1, 'Ada'),
    { object: 'LEAD', identity: [{ kind: 'EMAIL', value: 'a@b.example' }], fields: [] },
  ];
  const input = { connectionId: world.connection.id, title: 'Wrong', changes };
  const { errors } = await ask(PLAN, { input });
  expect(errors[0].extensions).toMatchObject({
    reason: 'invalid_input',
    field: 'input.changes.1.identity.0',
  });
});

/** What the ledger has entered the calls for a set under. */
const featuresOf = (id: string) =>
  world.scoped(async (tx) => {
    const calls = tx.selectFrom('api_call').select('feature').distinct();
    const rows = await calls
      .where('change_set_id', '=', ChangeSetId.parse(id))
      .orderBy('feature')
      .execute();
    return rows.map(({ feature }) => feature);
  });
