import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createBystander } from '../../../test/bystander.ts';
import { createChanging } from '../../../test/changing.ts';
import { prepareSamples, writtenObjects } from '../../../test/samples.ts';
import { idOf, stepOf } from '../../../test/write-commands.ts';
import { createWorld } from '../../../test/writing.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
const samplesOf = await prepareSamples(bystander);
const world = await createWorld({ db, pipedrive, log: silentLog, eventually });
const changing = createChanging(world, eventually);
const sender = world.startWorker();
const worker = changing.startWorker({ wakeSender: () => sender.wake() });

beforeAll(async () => {
  for (const object of writtenObjects) await world.readFields(object);
});
afterAll(async () => {
  await worker.stop();
  await sender.stop();
  await pipedrive.stop();
  await drop();
});

test('of every object an update is put back and what was made goes again', async () => {
  const old = await Promise.all(
    writtenObjects.map(async (object) => {
      const { made } = samplesOf(object, `${object}-before`);
      const steps = [stepOf(object, 'create', { fields: made.fields })];
      const [step] = await world.settled((await world.submit({ steps })).writeRequestId);
      return { object, id: step?.pipedrive_id, made };
    }),
  );
  const rows = old.flatMap(({ object, id }) => {
    const { made, changed, keys: identity } = samplesOf(object, `${object}-made`);
    return [
      [stepOf(object, 'update', { identity: [idOf(id)], fields: changed.fields })],
      [stepOf(object, 'upsert', { identity, fields: made.fields })],
    ];
  });

  const id = await changing.planned(rows);
  expect((await changing.totals(id)).effects).toMatchObject({ update: 7, create: 7 });
  await changing.applied(id);
  for (const { object, id: recordId } of old) {
    const { changed } = samplesOf(object, `${object}-made`);
    expect(await bystander.read(object, recordId)).toMatchObject(changed.shown);
  }
  const made = (await changing.changes(id)).filter(({ effect }) => effect === 'create');
  expect(made.map(({ object }) => object).toSorted()).toEqual([...writtenObjects].toSorted());

  const undo = await changing.undo(id);
  await changing.reached(undo, 'awaiting_approval', 60_000);
  expect((await changing.totals(undo)).effects).toMatchObject({ update: 7, delete: 7 });
  await changing.applied(undo);
  for (const { object, id: recordId, made: before } of old) {
    expect(await bystander.read(object, recordId)).toMatchObject(before.shown);
    const left = (await bystander.list(object)).map((record) => String(record.id));
    expect(left).toContain(recordId);
    const ours = made.filter((change) => change.object === object);
    expect(left).not.toContain(ours[0]?.step_pipedrive_id);
  }
}, 120_000);
