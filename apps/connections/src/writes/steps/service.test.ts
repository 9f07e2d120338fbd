import { ConnectionId, UserId } from '@manifold/contracts';
import { newId } from '@manifold/database';
import {
  createTestDatabase,
  eventually,
  silentLog,
  startTestGraph,
  startTestPipedrive,
} from '@manifold/testing';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { createBystander } from '../../../test/bystander.ts';
import { personStep } from '../../../test/write-commands.ts';
import { createWorld } from '../../../test/writing.ts';
import { createAccountLoaders } from '../../accounts/loaders.ts';
import { insertConnection } from '../../accounts/store.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import { schemaFiles } from '../../subgraph.ts';
import { createWriteLoaders, createWriteResolvers } from '../resolvers.ts';
import { changeIdleStep } from '../sending/store.ts';
import { createStepResolvers } from './resolvers.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
const options = { db, pipedrive, log: silentLog, eventually };
const world = await createWorld(options);
const stranger = await createWorld({ ...options, vault: world.vault });
const worker = world.startWorker();
const deps = { db, now: () => new Date(), wake: worker.wake };
const { graph, stop } = await startTestGraph({
  service: 'connections',
  schemaFiles,
  resolvers: [createWriteResolvers(deps), createStepResolvers(deps)],
  loaders: (context) => ({
    ...createAccountLoaders({ db }, context),
    ...createWriteLoaders({ db }, context),
  }),
});

beforeEach(() => bystander.reset());
afterAll(async () => {
  await worker.stop();
  await stop();
  await pipedrive.stop();
  await drop();
});

test('all that wait for a person for one reason are listed, and sent again together', async () => {
  const emails = ['one@example.test', 'two@example.test', 'three@example.test'];
  const twins = await Promise.all(emails.map(makeTwins));
  const stored = await Promise.all(
    emails.map((email) => world.submit({ steps: [personStep(email)] })),
  );
  const refused = await world.submit({
    steps: [personStep('refused@example.test', { fields: { name: '', owner_id: 99_999 } })],
  });
  for (const { writeRequestId } of [...stored, refused]) {
    await world.settled(writeRequestId, 'parked');
  }

  const filter = { state: ['PARKED'], reason: ['several_matches'], object: ['PERSON'] };
  const listed = await ask(LIST, { filter });
  expect(listed.data.writeSteps).toMatchObject({
    totalCount: 3,
    nodes: [{ reason: 'several_matches' }, {}, {}],
  });

  for (const twin of twins) await bystander.call('DELETE', `/api/v2/persons/${twin.id}`);
  const input = { reason: ['several_matches'], connectionId: world.connection.id };
  const again = await ask(REDRIVE, { input });
  expect(again.data.redriveAll).toEqual({ redriven: 3, remaining: 0, heldBack: 0 });
  for (const { writeRequestId } of stored) await world.settled(writeRequestId);
  const none = { redriven: 0, remaining: 0, heldBack: 0 };
  expect((await ask(REDRIVE, { input })).data.redriveAll).toEqual(none);
  const left = await ask(LIST, { filter: { state: ['PARKED'] } });
  expect(left.data.writeSteps.nodes).toMatchObject([{ reason: 'pipedrive_refused' }]);
});

test('a parked update is found by its record, whether it named it or was led to it', async () => {
  const email = 'meant@example.test';
  const emails = [{ value: email, primary: true }];
  const id = String((await bystander.create('person', { name: 'Meant', emails })).id);
  const named = { kind: 'pipedrive_id' as const, value: id };
  // refused: there is no such user
  const fields = { owner_id: 99_999 };
  const steps = [
    personStep(email, { operation: 'update', identity: [named], fields }),
    personStep(email, { fields }),
  ];
  const gone = personStep(email, {
    operation: 'update',
    identity: [{ kind: 'pipedrive_id', value: '99999' }],
    fields,
  });
  for (const step of [...steps, gone]) {
    const { writeRequestId } = await world.submit({ steps: [step] });
    await world.settled(writeRequestId, 'parked');
  }

  const { data } = await ask(LIST, { filter: { state: ['PARKED'], pipedriveId: id } });
  expect(data.writeSteps.nodes).toMatchObject([{ pipedriveId: id }, { pipedriveId: id }]);
  const missing = await ask(LIST, { filter: { pipedriveId: '99999' } });
  expect(missing.data.writeSteps.nodes).toMatchObject([{ reason: 'record_gone' }]);
});

test('nothing is sent again without a condition, by a viewer, or of another workspace', async () => {
  const everything = await ask(REDRIVE, { input: {} });
  expect(everything.errors[0].extensions).toMatchObject({ reason: 'invalid_input' });
  const viewer = await ask(REDRIVE, { input: { reason: ['several_matches'] } }, { role: 'VIEWER' });
  expect(viewer.errors[0].extensions).toMatchObject({ reason: 'role_too_low' });
  const { workspaceId } = stranger;
  const foreign = await ask(LIST, {}, { workspaceId });
  expect(foreign.data.writeSteps.totalCount).toBe(0);
});

test('what goes through somebody’s own connection is sent again by its owner only; any member may cancel it', async () => {
  const [owner, other] = [newId('us', UserId), newId('us', UserId)];
  const personal = { id: newId('cn', ConnectionId), user_id: owner, kind: 'PERSONAL' as const };
  const connection = { ...world.connection, ...personal, pipedrive_user_id: '2' };
  await world.scoped((tx) => insertConnection(tx, { ...connection, webhook_path_hash: owner }));
  const { writeRequestId: id } = await world.submit({
    connectionId: personal.id,
    actingUserId: owner,
  });
  const [step] = await world.stepsOf(id);
  const parked = { state: 'parked', reason: 'pipedrive_refused' } as const;
  await world.scoped((tx) => changeIdleStep(tx, step?.id ?? absent(), parked));

  const ONE = `mutation ($input: RedriveInput!) { redrive(input: $input) { writeStep { id } } }`;
  const refused = await ask(ONE, { input: { writeStepId: step?.id } }, { userId: other });
  expect(refused.errors[0].extensions).toMatchObject({
    reason: 'connection_of_another_user',
    field: 'input.writeStepId',
  });
  const input = { connectionId: personal.id };
  const none = await ask(REDRIVE, { input }, { userId: other });
  expect(none.data.redriveAll).toEqual({ redriven: 0, remaining: 0, heldBack: 1 });
  const own = await ask(REDRIVE, { input }, { userId: owner });
  expect(own.data.redriveAll).toEqual({ redriven: 1, remaining: 0, heldBack: 0 });
  const CANCEL = `mutation ($id: ID!) { cancelWriteRequest(input: { id: $id }) { writeRequest { id } } }`;
  const cancelled = await ask(CANCEL, { id }, { userId: other });
  expect(cancelled.data.cancelWriteRequest.writeRequest).toEqual({ id });
});

test.each([{}, { reason: [] }, { reason: [], object: [] }])(
  'without a condition nothing is redriven: %o',
  async (input) => {
    const { errors } = await ask(REDRIVE, { input });
    expect(errors[0].extensions).toMatchObject({ reason: 'invalid_input', field: 'input' });
  },
);

test('a reason nobody knows is one no step has', async () => {
  const { data } = await ask(LIST, { filter: { reason: ['no_such_reason'] } });
  expect(data.writeSteps).toMatchObject({ totalCount: 0, nodes: [] });
});

// builders

const absent = (): never => {
  throw new Error('there is no step');
};

const LIST = `query ($filter: WriteStepFilter) { writeSteps(filter: $filter) {
  totalCount nodes { id state reason object pipedriveId } } }`;
const REDRIVE = `mutation ($input: RedriveAllInput!) { redriveAll(input: $input) { redriven remaining heldBack } }`;

const ask = (query: string, variables: object, caller: Parameters<typeof graph>[2] = {}) =>
  graph(query, variables, { workspaceId: world.workspaceId, ...caller });

/** Two persons with one address; the second is returned. */
async function makeTwins(email: string) {
  const body = { name: 'Twin', emails: [{ value: email, primary: true }] };
  await bystander.create('person', body);
  return bystander.create('person', body);
}
