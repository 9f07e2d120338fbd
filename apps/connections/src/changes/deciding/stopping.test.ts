import { ChangeSetId } from '@manifold/contracts';
import { newId } from '@manifold/database';
import {
  createTestDatabase,
  eventually,
  silentLog,
  startTestGraph,
  startTestPipedrive,
} from '@manifold/testing';
import { afterAll, afterEach, expect, test } from 'vitest';
import { createBystander } from '../../../test/bystander.ts';
import { createChanging } from '../../../test/changing.ts';
import { createPeople } from '../../../test/people.ts';
import {
  APPROVE,
  createAsking,
  mutationOf,
  READ,
  setSubgraph,
  type Who,
} from '../../../test/set-graph.ts';
import { createWorld } from '../../../test/writing.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
const { makePersons, namesOf } = createPeople(bystander);
const world = await createWorld({ db, pipedrive, log: silentLog, eventually });
const stranger = await createWorld({ db, pipedrive, log: silentLog, eventually });
/** Sends only where a test has it do so. */
let sender: ReturnType<typeof world.startWorker> | undefined;
const wakeSender = () => sender?.wake();
const worker = createChanging(world, eventually).startWorker({ wakeSender });
const wakes = { sender: wakeSender, worker: worker.wake };
const { graph, stop } = await startTestGraph(setSubgraph(world, wakes));
const { ask, namesPlanned, reached, ended } = createAsking(world, graph, eventually);

afterEach(async () => {
  await sender?.stop();
  sender = undefined;
});
afterAll(async () => {
  await worker.stop();
  await stop();
  await pipedrive.stop();
  await drop();
});

const stopping = ['pauseChangeSet', 'resumeChangeSet', 'cancelChangeSet'] as const;
const tell = async (name: (typeof stopping)[number], id: string, who?: Who) =>
  ask(mutationOf(name, 'ChangeSetInput'), { input: { id } }, who);
const stateAfter = async (name: (typeof stopping)[number], id: string) =>
  (await tell(name, id)).data[name].changeSet.state;

/** A set that was approved while nothing is sent: each row waits to be written. */
async function approved(names: Record<string, number | undefined>) {
  const { id, hash } = await namesPlanned(names);
  await ask(APPROVE, { input: { id, hash } });
  await reached(id, 'APPLYING');
  return id;
}
const rowsOf = async (id: string): Promise<string[]> =>
  (await ask(READ, { id })).data.changeSet.changes.nodes.map(
    ({ state }: { state: string }) => state,
  );
const written = async () =>
  (await bystander.requests()).filter(({ method }) => method === 'PATCH').length;

test('a set that is paused writes nothing until it goes on, and then all of it', async () => {
  const [one, two] = await makePersons(2);
  const id = await approved({ First: one, Second: two });
  expect(await stateAfter('pauseChangeSet', id)).toBe('PAUSED');
  expect(await stateAfter('pauseChangeSet', id)).toBe('PAUSED');
  const other = await approved({ Third: (await makePersons(1))[0] });
  sender = world.startWorker();
  // somebody else's turn has passed, so theirs would have come
  await ended(other);
  expect(await namesOf([one, two])).toEqual(['Before 0', 'Before 1']);
  expect(await rowsOf(id)).toEqual(['PLANNED', 'PLANNED']);

  expect(await stateAfter('resumeChangeSet', id)).toBe('APPLYING');
  await ended(id);
  expect(await namesOf([one, two])).toEqual(['First', 'Second']);
  for (const name of stopping) {
    const { errors } = await tell(name, id);
    expect(errors[0].extensions, name).toMatchObject({
      reason: 'change_set_not_ready',
      field: 'input.id',
    });
  }
}, 60_000);

test('a set that is cancelled writes nothing any more, and does not go on', async () => {
  const [one, two] = await makePersons(2);
  const id = await approved({ First: one, Second: two });
  expect(['CANCELLING', 'CANCELLED']).toContain(await stateAfter('cancelChangeSet', id));
  expect(await reached(id, 'CANCELLED')).toMatchObject({ reason: 'cancelled_by_user' });
  expect(await stateAfter('cancelChangeSet', id)).toBe('CANCELLED');
  expect(await rowsOf(id)).toEqual(['CANCELLED', 'CANCELLED']);
  const { errors } = await tell('resumeChangeSet', id);
  expect(errors[0].extensions).toMatchObject({ reason: 'change_set_not_ready', field: 'input.id' });

  const before = await written();
  const other = await approved({ Third: (await makePersons(1))[0] });
  sender = world.startWorker();
  await ended(other);
  expect(await written()).toBe(before + 1);
  expect(await namesOf([one, two])).toEqual(['Before 0', 'Before 1']);
}, 60_000);

test.each(stopping)('%s is no viewer’s, and another workspace’s set is like none', async (name) => {
  const [one] = await makePersons(1);
  const id = await approved({ After: one });
  if (name === 'resumeChangeSet') await tell('pauseChangeSet', id);
  const { state: before } = (await ask(READ, { id })).data.changeSet;
  const viewer = await tell(name, id, { role: 'VIEWER' });
  expect(viewer.errors[0].extensions).toMatchObject({ code: 'FORBIDDEN', reason: 'role_too_low' });

  const absent = newId('cs', ChangeSetId);
  const answers = [
    await tell(name, id, { of: stranger }),
    await tell(name, absent),
    await tell(name, 'cs_nonsense'),
    await tell(name, world.connection.id),
  ].map(({ errors }) => errors[0].extensions);
  for (const answer of answers) {
    expect(answer).toMatchObject({
      code: 'NOT_FOUND',
      reason: 'record_not_found',
      field: 'input.id',
    });
    expect(answer).toEqual(answers[0]);
  }
  expect((await ask(READ, { id })).data.changeSet.state).toBe(before);
  await tell('cancelChangeSet', id);
  await reached(id, 'CANCELLED');
});
