import {
  createTestDatabase,
  eventually,
  silentLog,
  startTestNats,
  startTestPipedrive,
} from '@manifold/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createBystander } from '../../../test/bystander.ts';
import { connectForDeliveries } from '../../../test/deliveries.ts';
import { startInstallation } from '../../../test/installation.ts';
import { listEvents } from '../../../test/looking.ts';
import { prepareSamples } from '../../../test/samples.ts';
import { createSubmitting } from '../../../test/submitting.ts';
import { idOf, stepOf } from '../../../test/write-commands.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';

const { db, urls, drop } = await createTestDatabase<Tables>(migrations);
const nats = await startTestNats();
const sandbox = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(sandbox);
const samplesOf = await prepareSamples(bystander);
const installation = await startInstallation({
  ...{ urls, natsUrl: nats.url, sandbox, log: silentLog },
});
const { workspaceId, id: connectionId } = await connectForDeliveries(installation, {
  db,
  apiToken: sandbox.apiToken,
});
const { writtenOne, toldOf } = createSubmitting({
  ...{ db, nats: nats.nats, workspaceId, connectionId, bystander, eventually },
});

beforeAll(async () => {
  // what connecting still has to do would be counted as the cost of a write
  await eventually(async () =>
    expect(await listEvents(db, workspaceId, 'connection_established')).toHaveLength(1),
  );
});
afterAll(async () => {
  await installation.stop();
  await sandbox.stop();
  await nats.stop();
  await drop();
});

describe.each(['person', 'organization', 'deal'] as const)('%s:', (object) => {
  test('of two the survivor stays with what stood at the other, and is what both were known by (RS-35)', async () => {
    const [kept, lost] = [await made('kept'), await made('lost')];
    const standing = await bystander.create('activity', {
      subject: 'Stands there',
      ...at(lost.id),
    });
    const { step, spent } = await writtenOne({ steps: [merge(lost, kept)] });

    expect(step).toMatchObject({
      ...{ state: 'applied', effect: 'merged', cost_tokens: spent },
      ...{ pipedrive_id: kept.id, loser_pipedrive_id: lost.id },
    });
    expect(await bystander.read(object, kept.id)).toMatchObject({ ...kept.shown, ...joined(lost) });
    const left = (await bystander.list(object)).map(({ id }) => String(id));
    expect(left).toContain(kept.id);
    expect(left).not.toContain(lost.id);
    expect(await bystander.read('activity', String(standing.id))).toMatchObject(at(kept.id));

    expect(await toldOf(object, lost.id, 'merged')).toEqual(['manifold']);
    const events = await listEvents(db, workspaceId, 'record_changed');
    expect(
      events.find(({ payload }) => payload.action === 'merged' && isOf(payload, lost.id)),
    ).toMatchObject({ payload: { mergedIntoPipedriveId: kept.id } });

    const { fields, shown } = lost.changed;
    const after = stepOf(object, 'upsert', { identity: lost.keys, fields });
    expect((await writtenOne({ steps: [after] })).step).toMatchObject({
      ...{ effect: 'updated', pipedrive_id: kept.id },
    });
    expect(await bystander.read(object, kept.id)).toMatchObject(shown);
  });

  test('of two one is left where the answer is lost, and the merge is not repeated', async () => {
    const [kept, lost] = [await made('kept twice'), await made('lost twice')];
    await bystander.fault('cut-after', { method: 'PUT' });
    const { step, spent } = await writtenOne({ steps: [merge(lost, kept)] });

    expect(step).toMatchObject({
      ...{ state: 'applied', effect: 'merged', pipedrive_id: kept.id, cost_tokens: spent },
    });
    const merges = (await bystander.requests()).filter(
      ({ method, path }) => method === 'PUT' && path === `/api/v1/${object}s/${lost.id}/merge`,
    );
    expect(merges).toHaveLength(1);
  });

  test('a link says which record a key means, and writes nothing', async () => {
    const { id } = await made('named otherwise');
    const { keys, changed } = samplesOf(object, `${object}-only-we-say-so`);
    const before = await bystander.read(object, id);
    const steps = [stepOf(object, 'link', { identity: [idOf(id), ...keys] })];
    const linked = await writtenOne({ steps });
    expect(linked.step).toMatchObject({
      ...{ state: 'applied', effect: 'linked', pipedrive_id: id, cost_tokens: linked.spent },
    });
    expect(await bystander.read(object, id)).toEqual(before);

    const wish = stepOf(object, 'upsert', { identity: keys, fields: changed.fields });
    const { step } = await writtenOne({ steps: [wish] });
    expect(step).toMatchObject({ effect: 'updated', pipedrive_id: id });
  });

  /** A record of ours, and what it is known by. */
  async function made(name: string) {
    const samples = samplesOf(object, `${object}-${name.replaceAll(' ', '-')}`);
    const { fields, shown } = samples.made;
    const wish = stepOf(object, 'upsert', { identity: samples.keys, fields });
    const { step } = await writtenOne({ steps: [wish] });
    expect(step.effect).toBe('created');
    return { ...samples, shown, id: step.pipedrive_id ?? '' };
  }

  type Made = Awaited<ReturnType<typeof made>>;

  const merge = (lost: Made, kept: Made) =>
    stepOf(object, 'merge', { identity: lost.keys, survivor: kept.keys });

  /** Addresses of persons are joined; anything else of the lost record gives way. */
  const joined = ({ keys: [key] }: Made) =>
    object === 'person'
      ? { emails: [expect.anything(), expect.objectContaining({ value: key?.value })] }
      : {};

  const at = (id: string) => {
    if (object === 'person') return { participants: [{ person_id: Number(id), primary: true }] };
    return { [object === 'deal' ? 'deal_id' : 'org_id']: Number(id) };
  };

  const isOf = (payload: { object: string; pipedriveId: string }, id: string) =>
    payload.object === object && payload.pipedriveId === id;
});
