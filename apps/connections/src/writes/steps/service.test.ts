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
import { createAccountLoaders } from '../../accounts/resolvers.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import { schemaFiles } from '../../subgraph.ts';
import { createWriteLoaders, createWriteResolvers } from '../resolvers.ts';
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
  expect(again.data.redriveAll).toEqual({ redriven: 3, remaining: 0 });
  for (const { writeRequestId } of stored) await world.settled(writeRequestId);
  expect((await ask(REDRIVE, { input })).data.redriveAll).toEqual({ redriven: 0, remaining: 0 });
  const left = await ask(LIST, { filter: { state: ['PARKED'] } });
  expect(left.data.writeSteps.nodes).toMatchObject([{ reason: 'pipedrive_refused' }]);
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

test('a reason nobody knows is one no step has', async () => {
  const { data } = await ask(LIST, { filter: { reason: ['no_such_reason'] } });
  expect(data.writeSteps).toMatchObject({ totalCount: 0, nodes: [] });
});

// builders

const LIST = `query ($filter: WriteStepFilter) { writeSteps(filter: $filter) {
  totalCount nodes { id state reason object } } }`;
const REDRIVE = `mutation ($input: RedriveAllInput!) { redriveAll(input: $input) { redriven remaining } }`;

const ask = (query: string, variables: object, caller: Parameters<typeof graph>[2] = {}) =>
  graph(query, variables, { workspaceId: world.workspaceId, ...caller });

/** Two persons with one address; the second is returned. */
async function makeTwins(email: string) {
  const body = { name: 'Twin', emails: [{ value: email, primary: true }] };
  await bystander.create('person', body);
  return bystander.create('person', body);
}
