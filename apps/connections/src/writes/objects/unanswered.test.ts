import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createBystander, paths } from '../../../test/bystander.ts';
import { prepareSamples, writtenObjects } from '../../../test/samples.ts';
import { idOf, stepOf } from '../../../test/write-commands.ts';
import { createWorld } from '../../../test/writing.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';

/** Well within the settle time. */
const LATE_MS = 100;

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
const samplesOf = await prepareSamples(bystander);
// nobody tells this one of changes: what became of a call it has to find out by itself
const world = await createWorld({ db, pipedrive, log: silentLog, eventually });
const sender = world.startWorker();

beforeAll(async () => {
  for (const object of writtenObjects) await world.readFields(object);
});
afterAll(async () => {
  await sender.stop();
  await pipedrive.stop();
  await drop();
});

describe.each(writtenObjects)('%s', (object) => {
  test.each(['late-commit', 'cut-before'])(
    'whose create has no answer (%s) is there once, and its step ends applied (SL-57)',
    async (kind) => {
      const { fields, shown } = samplesOf(object, `${object}-${kind}`).made;
      const before = await idsOf();
      await fault(kind, 'POST', paths[object]);
      const { step, spent } = await writtenOne(stepOf(object, 'create', { fields }));

      // a call that never arrived is counted all the same: it may have
      const unheard = kind === 'cut-before' ? await priceOfCreate() : 0;
      const cost_tokens = spent + unheard;
      expect(step).toMatchObject({ state: 'applied', effect: 'created', cost_tokens });
      expect(await bystander.read(object, step?.pipedrive_id)).toMatchObject(shown);
      expect((await idsOf()).filter((id) => !before.includes(id))).toEqual([step?.pipedrive_id]);
    },
  );

  test('is updated and deleted once where no answer comes', async () => {
    const { made, changed } = samplesOf(object, `${object}-changed`);
    const first = await writtenOne(stepOf(object, 'create', { fields: made.fields }));
    const identity = [idOf(first.step?.pipedrive_id)];
    const method = object === 'note' ? 'PUT' : 'PATCH';
    await fault('late-commit', method, `${paths[object]}/*`);
    const update = stepOf(object, 'update', { identity, fields: changed.fields });
    const updated = await writtenOne(update);
    expect(updated.step).toMatchObject({ effect: 'updated', cost_tokens: updated.spent });
    expect(updated.step?.changed_keys.toSorted()).toEqual(Object.keys(changed.fields).toSorted());
    expect(await bystander.read(object, first.step?.pipedrive_id)).toMatchObject(changed.shown);

    await fault('late-commit', 'DELETE', `${paths[object]}/*`);
    const deleted = await writtenOne(stepOf(object, 'delete', { identity }));
    expect(deleted.step).toMatchObject({ effect: 'deleted', cost_tokens: deleted.spent });
    expect(await idsOf()).not.toContain(first.step?.pipedrive_id);
    const calls = (await bystander.requests()).filter(({ path }) =>
      path.endsWith(`${paths[object]}/${first.step?.pipedrive_id}`),
    );
    expect(calls.filter((call) => call.method === method)).toHaveLength(1);
    expect(calls.filter((call) => call.method === 'DELETE')).toHaveLength(1);
  });

  const priceOfCreate = async () => {
    const calls = await bystander.requests();
    return calls.find((call) => call.method === 'POST' && call.path === paths[object])?.price ?? 0;
  };
  const idsOf = async () => (await bystander.list(object)).map(({ id }) => String(id));
});

// builders

const fault = (kind: string, method: string, path: string) => {
  const struck = { kind, match: { method, path }, times: 1, ms: LATE_MS };
  return bystander.call('POST', '/control/faults', struck);
};

async function writtenOne(step: ReturnType<typeof stepOf>) {
  const before = (await bystander.ledger()).tokens;
  const { writeRequestId } = await world.submit({ steps: [step] });
  const [settled] = await world.settled(writeRequestId);
  return { step: settled, spent: (await bystander.ledger()).tokens - before };
}
