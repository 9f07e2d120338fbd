import { ApiKeyId, UserId } from '@manifold/contracts';
import { newId } from '@manifold/database';
import {
  createTestDatabase,
  eventually,
  silentLog,
  startTestGraph,
  startTestPipedrive,
} from '@manifold/testing';
import { afterAll, expect, test } from 'vitest';
import { createBystander } from '../../../test/bystander.ts';
import { createChanging } from '../../../test/changing.ts';
import { listEvents } from '../../../test/looking.ts';
import { createPeople } from '../../../test/people.ts';
import { APPROVE, createAsking, setSubgraph } from '../../../test/set-graph.ts';
import { askerOf, personStep } from '../../../test/write-commands.ts';
import { createWorld } from '../../../test/writing.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import { cancelRequest } from '../commands.ts';
import { redriveStep } from '../redriving/commands.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const { makePersons } = createPeople(createBystander(pipedrive));
const world = await createWorld({ db, pipedrive, log: silentLog, eventually });
const sender = world.startWorker();
const worker = createChanging(world, eventually).startWorker({ wakeSender: sender.wake });
const wakes = { sender: sender.wake, worker: worker.wake };
const { graph, stop } = await startTestGraph(setSubgraph(world, wakes));
const { ask, namesPlanned, ended } = createAsking(world, graph, eventually);

afterAll(async () => {
  await worker.stop();
  await sender.stop();
  await stop();
  await pipedrive.stop();
  await drop();
});

const person = () => ({ userId: newId('us', UserId), apiKeyId: newId('ak', ApiKeyId) });
type Person = ReturnType<typeof person>;
const actorOf = ({ userId, apiKeyId }: Person) => ({ kind: 'user' as const, id: userId, apiKeyId });

/** Who stands behind the events of a name that tell of a thing. */
async function actorsOf(name: string, about: string): Promise<object[]> {
  const events = await listEvents(db, world.workspaceId, name);
  return events
    .filter(({ payload }) => JSON.stringify(payload).includes(about))
    .map(({ actor }) => actor);
}

test('what comes of a write later is told with the key it was asked through', async () => {
  const kim = person();
  const steps = [personStep('key@example.test')];
  const { writeRequestId } = await world.submit({ actor: actorOf(kim), steps });
  await world.settled(writeRequestId);

  expect(await actorsOf('step_settled', writeRequestId)).toEqual([actorOf(kim)]);
  expect(await actorsOf('write_request_settled', writeRequestId)).toEqual([actorOf(kim)]);
});

test('whoever sends a write again or stops it stands behind that, with their own key', async () => {
  const [kim, lee] = [person(), person()];
  const wrong = [personStep('again@example.test', { fields: { visible_to: 'nobody' } })];
  const { writeRequestId } = await world.submit({ actor: actorOf(kim), steps: wrong });
  const [step] = await world.settled(writeRequestId, 'parked');
  const asker = { ...askerOf(world.workspaceId), actor: actorOf(lee) };
  if (!step) throw new Error('nothing was stored');
  const again = { asker, userId: lee.userId, stepId: step.id, idempotencyKey: undefined };
  await redriveStep(db, again, new Date());
  expect(await actorsOf('step_redriven', writeRequestId)).toEqual([actorOf(lee)]);

  await world.settled(writeRequestId, 'parked');
  await cancelRequest(db, { asker, requestId: writeRequestId }, new Date());
  expect((await actorsOf('step_settled', writeRequestId)).at(-1)).toEqual(actorOf(lee));
  expect((await actorsOf('step_settled', writeRequestId)).at(0)).toEqual(actorOf(kim));
});

test('the writes of a change set are told with the key it was planned through', async () => {
  const [kim, lee] = [person(), person()];
  const [one] = await makePersons(1);
  const set = await namesPlanned({ After: one }, kim);
  await ask(APPROVE, { input: { id: set.id, hash: set.hash } }, lee);
  await ended(set.id);
  expect(await actorsOf('change_set_planned', set.id)).toEqual([actorOf(kim)]);
  expect(await actorsOf('change_set_approved', set.id)).toEqual([actorOf(lee)]);
  expect(await actorsOf('change_set_finished', set.id)).toEqual([actorOf(kim)]);
  const [settled] = (await listEvents(db, world.workspaceId, 'step_settled')).slice(-1);
  expect(settled).toMatchObject({ actor: actorOf(kim), payload: { outcome: 'applied' } });
}, 60_000);
