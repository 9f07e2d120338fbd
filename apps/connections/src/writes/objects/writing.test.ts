import {
  createTestDatabase,
  eventually,
  silentLog,
  startTestNats,
  startTestPipedrive,
} from '@manifold/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createBystander, paths } from '../../../test/bystander.ts';
import { connectForDeliveries } from '../../../test/deliveries.ts';
import { startInstallation } from '../../../test/installation.ts';
import { listEvents } from '../../../test/looking.ts';
import { prepareSamples, writtenObjects } from '../../../test/samples.ts';
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
  // longer than any test: only its webhook can end the wait for a create of unknown end
  env: { SETTLE_MS: 60_000 },
});
const { workspaceId, id: connectionId } = await connectForDeliveries(installation, {
  db,
  apiToken: sandbox.apiToken,
});
const { written, writtenOne, toldOf, overwritten } = createSubmitting({
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

describe.each(writtenObjects)('%s', (object) => {
  test('is created as asked, at the price Pipedrive takes, and comes back as ours', async () => {
    const { fields, shown } = samplesOf(object, `${object}-created`).made;
    const { step, spent } = await writtenOne({ steps: [stepOf(object, 'create', { fields })] });

    expect(step).toMatchObject({ state: 'applied', effect: 'created', cost_tokens: spent });
    expect(spent).toBeGreaterThan(0);
    expect(await bystander.read(object, step.pipedrive_id)).toMatchObject(shown);
    expect(await toldOf(object, step.pipedrive_id, 'created')).toEqual(['manifold']);
  });

  test('is updated in what differs, and comes back as ours', async () => {
    const { made, changed } = samplesOf(object, `${object}-updated`);
    const [first] = await written({ steps: [stepOf(object, 'create', { fields: made.fields })] });
    const id = first?.pipedrive_id ?? null;
    await toldOf(object, id, 'created');
    const identity = [idOf(id)];
    const fields = { ...made.fields, ...changed.fields };
    const steps = [stepOf(object, 'update', { identity, fields })];
    const { step, spent } = await writtenOne({ steps });

    expect(step).toMatchObject({ state: 'applied', effect: 'updated', cost_tokens: spent });
    expect(step.changed_keys.toSorted()).toEqual(Object.keys(changed.fields).toSorted());
    expect(await bystander.read(object, id)).toMatchObject(changed.shown);
    expect(await toldOf(object, id, 'updated')).toEqual(['manifold']);

    const { step: again } = await writtenOne({ steps });
    expect(again).toMatchObject({ state: 'no_change', pipedrive_id: id });
  });

  test('is deleted once, and comes back as ours', async () => {
    const { fields } = samplesOf(object, `${object}-deleted`).made;
    const [first] = await written({ steps: [stepOf(object, 'create', { fields })] });
    const id = first?.pipedrive_id ?? null;
    await toldOf(object, id, 'created');
    const steps = [stepOf(object, 'delete', { identity: [idOf(id)] })];
    const { step, spent } = await writtenOne({ steps });

    expect(step).toMatchObject({ state: 'applied', effect: 'deleted', cost_tokens: spent });
    expect((await bystander.list(object)).map((record) => String(record.id))).not.toContain(id);
    expect(await toldOf(object, id, 'deleted')).toEqual(['manifold']);

    const { step: again } = await writtenOne({ steps });
    expect(again).toMatchObject({ state: 'no_change', reason: 'record_gone' });
  });

  test('whose create has no answer is known by its webhook, and there is one of it', async () => {
    const { fields, shown } = samplesOf(object, `${object}-lost`).made;
    const before = await bystander.list(object);
    await bystander.fault('cut-after', { method: 'POST', path: paths[object] });
    const { step, spent } = await writtenOne({ steps: [stepOf(object, 'create', { fields })] });

    expect(step).toMatchObject({ state: 'applied', effect: 'created', cost_tokens: spent });
    expect(await bystander.read(object, step.pipedrive_id)).toMatchObject(shown);
    expect(await bystander.list(object)).toHaveLength(before.length + 1);
    expect(await toldOf(object, step.pipedrive_id, 'created')).toEqual(['manifold']);
  });
});

test('none of these writes was taken for a change somebody else made before it', async () => {
  expect(await overwritten()).toEqual([]);
});
