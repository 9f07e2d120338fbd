import { type Role, UserId } from '@manifold/contracts';
import { newId, withWorkspace } from '@manifold/database';
import {
  createTestDatabase,
  eventually,
  silentLog,
  startTestGraph,
  startTestPipedrive,
} from '@manifold/testing';
import { afterAll, expect, test } from 'vitest';
import { createAccountLoaders } from '../accounts/resolvers.ts';
import { setConnection } from '../accounts/store.ts';
import { planOf } from '../budget/rules.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';
import { schemaFiles } from '../subgraph.ts';
import { createWriteLoaders, createWriteResolvers } from '../writes/resolvers.ts';
import { createBystander } from '../../test/bystander.ts';
import { createChanging } from '../../test/changing.ts';
import { createPeople } from '../../test/people.ts';
import { createWorld, type World } from '../../test/writing.ts';
import { createChangeSetLoaders } from './loaders.ts';
import { createChangeSetResolvers } from './resolvers.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
const { makePersons, namesOf } = createPeople(bystander);
const world = await createWorld({ db, pipedrive, log: silentLog, eventually });
const { vault } = world;
const stranger = await createWorld({ db, pipedrive, log: silentLog, eventually, vault });
const changing = createChanging(world, eventually);
const sender = world.startWorker();
const worker = changing.startWorker({ wakeSender: sender.wake });
const plan = planOf({ plan: 'lite', seats: 1, dailyTokens: undefined });
const deps = { db, vault, plan, now: () => new Date(), wake: sender.wake };
const { graph, stop } = await startTestGraph({
  service: 'connections',
  schemaFiles,
  resolvers: [
    createWriteResolvers(deps),
    createChangeSetResolvers({ ...deps, wakeChangeSets: worker.wake }),
  ],
  loaders: (context) => ({
    ...createAccountLoaders({ db }, context),
    ...createWriteLoaders({ db }, context),
    ...createChangeSetLoaders({ db }, context),
  }),
});

afterAll(async () => {
  await worker.stop();
  await sender.stop();
  await stop();
  await pipedrive.stop();
  await drop();
});

const ask = (
  query: string,
  variables: object,
  { of = world, role = 'OWNER' }: { of?: World; role?: Role } = {},
) => graph(query, variables, { workspaceId: of.workspaceId, role });

const SET = `id title kind state reason hash priceEstimate priceSpent expectedSeconds canBeUndone
  effects { create update none } outcomes { planned applied unchanged } counts { reason count }
  progress { done total } guardRails { maxRecords allowDeletes } connection { id }
  undoes { id } undoneBy { id } cause { type }`;
const CHANGES = `changes(first: 10) { totalCount nodes { id object state effect matchedBy reason
  pipedriveId changedKeys keptKeys fields { code before after } writeStep { id }
  undoes { id } changeSet { id } } }`;
const PLAN = `mutation ($input: PlanChangeSetInput!) { planChangeSet(input: $input) {
  changeSet { ${SET} } } }`;
const ADD = `mutation ($input: AddToChangeSetInput!) { addToChangeSet(input: $input) {
  changeSet { id state progress { total } } } }`;
const READ = `query ($id: ID!) { changeSet(id: $id) { ${SET} ${CHANGES} } }`;
const mutationOf = (name: string, input: string) =>
  `mutation ($input: ${input}!) { ${name}(input: $input) { changeSet { ${SET} } } }`;
const APPROVE = mutationOf('approveChangeSet', 'ApproveChangeSetInput');

const wantName = (id: number | undefined, name: string) => ({
  object: 'PERSON',
  identity: [{ kind: 'PIPEDRIVE_ID', value: String(id) }],
  fields: [{ code: 'name', value: name }],
});

const planNames = async (names: Record<string, number | undefined>, more: object = {}) => {
  const changes = Object.entries(names).map(([name, id]) => wantName(id, name));
  const input = { connectionId: world.connection.id, title: 'Names', changes, ...more };
  return ask(PLAN, { input });
};

const planned = (id: string) =>
  eventually(
    async () => {
      const { data } = await ask(READ, { id });
      expect(['AWAITING_APPROVAL', 'DONE']).toContain(data.changeSet.state);
      return data.changeSet;
    },
    { timeoutMs: 15_000 },
  );

const ended = (id: string) =>
  eventually(
    async () => {
      const { data } = await ask(READ, { id });
      expect(data.changeSet.state).toBe('DONE');
      return data.changeSet;
    },
    { timeoutMs: 15_000 },
  );

test('a list of wishes is planned, shown, approved, applied and undone', async () => {
  const [one, two] = await makePersons(2);
  const { data } = await planNames({ After: one, 'Before 1': two });
  const { id } = data.planChangeSet.changeSet;
  const shown = await planned(id);
  expect(shown).toMatchObject({
    title: 'Names',
    kind: 'WRITE',
    reason: 'approval_required',
    priceEstimate: 15,
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

  const undone = await ask(mutationOf('undoChangeSet', 'UndoChangeSetInput'), { input: { id } });
  const undo = await planned(undone.data.undoChangeSet.changeSet.id);
  expect(undo).toMatchObject({ kind: 'UNDO', undoes: { id }, changes: { totalCount: 1 } });
  expect(undo.changes.nodes[0].undoes.id).toBe(shown.changes.nodes[0].id);
  await ask(APPROVE, { input: { id: undo.id, hash: undo.hash } });
  await ended(undo.id);
  expect(await namesOf([one])).toEqual(['Before 0']);
  const after = await ask(READ, { id });
  expect(after.data.changeSet.undoneBy).toEqual({ id: undo.id });
});

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
});

test('sets are listed by what was asked, and none of another workspace', async () => {
  const LIST = `query ($filter: ChangeSetFilter) { changeSets(filter: $filter, first: 2) {
    totalCount nodes { id kind } pageInfo { hasNextPage } } }`;
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
});
