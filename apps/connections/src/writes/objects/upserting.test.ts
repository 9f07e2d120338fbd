import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createBystander } from '../../../test/bystander.ts';
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
// knows none of the records the first one has written
const stranger = await createWorld({
  ...{ db, pipedrive, log: silentLog, eventually },
  vault: world.vault,
});
const sender = world.startWorker();

beforeAll(async () => {
  for (const object of writtenObjects) {
    await world.readFields(object);
    await stranger.readFields(object);
  }
});
afterAll(async () => {
  await sender.stop();
  await pipedrive.stop();
  await drop();
});

const hasKeys = (object: (typeof writtenObjects)[number]) => samplesOf(object, 'x').keys.length > 0;

describe.each(writtenObjects.filter(hasKeys))('%s, known by a key,', (object) => {
  test('is made once, and found again by whoever knows the key', async () => {
    const { made, keys: identity } = samplesOf(object, `${object}-upserted`);
    const wish = stepOf(object, 'upsert', { identity, fields: made.fields });
    const first = await writtenOne(world, wish);
    expect(first.step).toMatchObject({
      ...{ state: 'applied', effect: 'created', cost_tokens: first.spent },
    });
    const id = first.step?.pipedrive_id;
    expect(await bystander.read(object, id)).toMatchObject(made.shown);

    const again = await writtenOne(world, wish);
    expect(again.step).toMatchObject({ state: 'no_change', pipedrive_id: id });
    expect(again.step?.cost_tokens).toBe(again.spent);

    const found = await writtenOne(stranger, wish);
    expect(found.step).toMatchObject({ state: 'no_change', pipedrive_id: id });
    expect(found.step?.cost_tokens).toBe(found.spent);
  });

  test('is changed where somebody else has made it, and not made again', async () => {
    const { made, changed, keys: identity } = samplesOf(object, `${object}-theirs`);
    const theirs = await writtenOne(stranger, stepOf(object, 'create', { fields: made.fields }));
    const before = await bystander.list(object);
    const wish = stepOf(object, 'upsert', { identity, fields: changed.fields });
    const { step, spent } = await writtenOne(world, wish);

    expect(step).toMatchObject({ state: 'applied', effect: 'updated', cost_tokens: spent });
    expect(step?.pipedrive_id).toBe(theirs.step?.pipedrive_id);
    expect(await bystander.read(object, step?.pipedrive_id)).toMatchObject(changed.shown);
    expect(await bystander.list(object)).toHaveLength(before.length);
  });

  test('is updated and deleted by its key', async () => {
    const { made, changed, keys: identity } = samplesOf(object, `${object}-keyed`);
    const first = await writtenOne(stranger, stepOf(object, 'create', { fields: made.fields }));
    const id = first.step?.pipedrive_id;
    const { fields } = changed;
    const updated = await writtenOne(world, stepOf(object, 'update', { identity, fields }));
    expect(updated.step).toMatchObject({ effect: 'updated', pipedrive_id: id });
    const deleted = await writtenOne(world, stepOf(object, 'delete', { identity }));
    expect(deleted.step).toMatchObject({ effect: 'deleted', pipedrive_id: id });
    expect((await bystander.list(object)).map((record) => String(record.id))).not.toContain(id);
  });
});

describe.each(writtenObjects.filter((object) => !hasKeys(object)))(
  '%s, which no key finds,',
  (object) => {
    test('is made once for one cause, and changed by its id', async () => {
      const { made, changed } = samplesOf(object, `${object}-caused`);
      const cause = { service: 'referrals', type: 'ReferralUser', id: `ru_${object}` };
      const wish = stepOf(object, 'upsert', { fields: made.fields });
      const before = await bystander.list(object);
      const first = await writtenOne(world, wish, { cause });
      const again = await writtenOne(world, wish, { cause });
      expect(first.step).toMatchObject({ effect: 'created', cost_tokens: first.spent });
      const id = first.step?.pipedrive_id;
      expect(again.step).toMatchObject({ state: 'no_change', pipedrive_id: id });

      const { fields } = changed;
      const named = stepOf(object, 'upsert', { identity: [idOf(id)], fields });
      expect((await writtenOne(world, named)).step).toMatchObject({ effect: 'updated' });
      expect(await bystander.read(object, id)).toMatchObject(changed.shown);
      expect(await bystander.list(object)).toHaveLength(before.length + 1);
    });

    test('is refused a key it cannot be found by', async () => {
      const identity = [{ kind: 'field' as const, field: 'subject', value: 'x' }];
      await expect(
        world.submit({ steps: [stepOf(object, 'upsert', { identity })] }),
      ).rejects.toMatchObject({ kind: 'invalid', detail: { field: 'steps.0.identity.0' } });
    });
  },
);

// builders

async function writtenOne(
  by: typeof world,
  step: ReturnType<typeof stepOf>,
  command: Parameters<typeof world.submit>[0] = {},
) {
  const before = (await bystander.ledger()).tokens;
  const { writeRequestId } = await by.submit({ ...command, steps: [step] });
  const [settled] = await by.settled(writeRequestId);
  return { step: settled, spent: (await bystander.ledger()).tokens - before };
}
