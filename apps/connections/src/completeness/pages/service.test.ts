import { acrossWorkspaces } from '@manifold/database';
import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createBystander } from '../../../test/bystander.ts';
import { createTracking, type Tracking } from '../../../test/tracking.ts';
import { createWorld, type World } from '../../../test/writing.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';

const database = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive();
const bystander = createBystander(pipedrive);
let world: World;
let tracking: Tracking;

beforeEach(async () => {
  await bystander.reset();
  await acrossWorkspaces(database.db, async (tx) => {
    await tx.deleteFrom('registry_need').execute();
    await tx.deleteFrom('record_registry').execute();
  });
  world = await createWorld({ db: database.db, pipedrive, log: silentLog, eventually });
});
afterAll(async () => {
  await pipedrive.stop();
  await database.drop();
});

// many calls, one after the other
vi.setConfig({ testTimeout: 60_000 });

const kinds = {
  lead: {
    path: '/api/v1/leads',
    body: { title: 'A lead' },
    change: { title: 'Another' },
    method: 'PATCH',
  },
  note: {
    path: '/api/v1/notes',
    body: { content: 'A note' },
    change: { content: 'Another' },
    method: 'PUT',
  },
} as const;
type Kind = keyof typeof kinds;

const idOf = (answer: unknown): string => String(JSON.parse(JSON.stringify(answer)).data.id);
async function make(kind: Kind): Promise<string> {
  const person = await bystander.create('person', { name: 'Ada' });
  const { path, body } = kinds[kind];
  return idOf(await bystander.call('POST', path, { ...body, person_id: person.id }));
}
const change = (kind: Kind, id: string) =>
  bystander.call(kinds[kind].method, `${kinds[kind].path}/${id}`, kinds[kind].change);
const remove = (kind: Kind, id: string) => bystander.call('DELETE', `${kinds[kind].path}/${id}`);

/** Records everybody was told of; no webhook ever comes. */
async function baseline(kind: Kind, count: number): Promise<string[]> {
  tracking = createTracking(world, { object: kind });
  const ids: string[] = [];
  for (let n = 0; n < count; n += 1) ids.push(await make(kind));
  await tracking.track([]);
  await tracking.settle();
  tracking.forward(2_000);
  expect(await tracking.certificate()).toMatchObject({ state: 'BASELINE', pipedrive_count: count });
  return ids;
}

/** Pipedrive knows whole seconds: two changes in one second cannot be told apart by their time. */
function nextSecond(): Promise<void> {
  const second = Math.floor(Date.now() / 1_000);
  return eventually(() => expect(Math.floor(Date.now() / 1_000)).toBeGreaterThan(second));
}

describe.each(['lead', 'note'] as const)('a %s', (kind) => {
  test('that was made, changed or deleted without a webhook is found, told and then certified', async () => {
    const [changed = '', gone = ''] = await baseline(kind, 3);
    await nextSecond();
    const made = await make(kind);
    await change(kind, changed);
    await remove(kind, gone);
    await tracking.verify();
    expect(await tracking.certificate()).toMatchObject({
      ...{ state: 'REPAIRED', missing: 1, first_missing_id: made },
      ...{ stale: 1, first_stale_id: changed, extra: 1, first_extra_id: gone },
    });
    const told = await tracking.events();
    expect(told).toHaveLength(3);
    expect(told).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ object: kind, pipedriveId: changed, action: 'updated' }),
        expect.objectContaining({ object: kind, pipedriveId: made, action: 'created' }),
        expect.objectContaining({ object: kind, pipedriveId: gone, action: 'deleted' }),
      ]),
    );
    await tracking.verify();
    const clean = await tracking.certificate();
    expect(clean).toMatchObject({ state: 'CLEAN', pipedrive_count: 3, known_count: 3 });
    expect(clean?.known_hash).toBe(clean?.pipedrive_hash);
  });

  test('whose webhook was lost is told by the next sweep, once', async () => {
    const [changed = ''] = await baseline(kind, 2);
    await nextSecond();
    await change(kind, changed);
    tracking.forward(2_000);
    await tracking.sweep();
    await tracking.sweep();
    expect(await tracking.events()).toEqual([
      expect.objectContaining({ object: kind, pipedriveId: changed, action: 'updated' }),
    ]);
  });
});

test('a lead that was archived is not told as deleted, and is counted again when it is back', async () => {
  const [lead = ''] = await baseline('lead', 2);
  const archive = (is_archived: boolean) =>
    bystander.call('PATCH', `/api/v1/leads/${lead}`, { is_archived });
  await archive(true);
  await tracking.verify();
  expect(await tracking.certificate()).toMatchObject({ state: 'CLEAN', pipedrive_count: 1 });
  await nextSecond();
  await archive(false);
  await tracking.verify();
  expect(await tracking.certificate()).toMatchObject({ pipedrive_count: 2, extra: 0 });
  expect((await tracking.events()).map(({ action }) => action)).toEqual(['updated']);
});

test('while records go from a list that is being read, none after them is passed over', async () => {
  const ids = await baseline('note', 6);
  const { clientFor } = tracking.deps.access;
  const starts: (string | undefined)[] = [];
  // pages of two, and before the second the first three records go
  tracking.deps.access.clientFor = async (...asked) => {
    const client = await clientFor(...asked);
    return {
      ...client,
      listRecords: async (object, options = {}) => {
        starts.push(options.cursor);
        const start = Number(options.cursor ?? 0);
        if (starts.length === 2) for (const id of ids.slice(0, 3)) await remove('note', id);
        return client.listRecords(object, { ...options, limit: 2, cursor: String(start) });
      },
    };
  };
  await tracking.verify({ repairs: false });
  const certificate = await tracking.certificate();
  // those that went after their page was read are not gone for this comparison; the others all are there
  expect(certificate).toMatchObject({ state: 'GAPS', missing: 0, stale: 0 });
  expect(certificate?.pipedrive_count).toBe(6 - (certificate?.extra ?? 0));
  expect(starts.length).toBeGreaterThan(3);
});
