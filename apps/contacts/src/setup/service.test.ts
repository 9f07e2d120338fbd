import { FieldMappingId } from '@manifold/contracts';
import { newId } from '@manifold/database';
import { createTestDatabase, eventually, silentLog, startTestNats } from '@manifold/testing';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Desk, openDesk } from '../../test/sync.ts';
import { migrations } from '../migrations/index.ts';
import { createDataSource } from '../sources/commands.ts';
import { findSource } from '../sources/store.ts';
import type { DataSource, Tables } from '../store.ts';
import { findMissing, type SourceChanges, updateDataSource } from './commands.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const { nats, stop } = await startTestNats();
let desk: Desk;
beforeEach(() => {
  desk = openDesk({ db, nats, log: silentLog, eventually });
});
afterEach(() => desk.close());
afterAll(async () => {
  await drop();
  await stop();
});

describe('a draft', () => {
  test('is set up step by step, is there again at each, and follows from its first sync on (OR-08, OR-22, WX-37)', async () => {
    desk.fill({ organizations: 1, persons: 2 });
    const { connectionId, mappingId } = desk.neighbours;
    const draft = await openDraft();
    expect(draft).toMatchObject({ state: 'DRAFT', step: 'CONNECT', connection_id: null });

    await update(draft, { connectionId, step: 'FIELDS' });
    expect(await missingOf(draft)).toEqual(['mappingId']);
    await update(draft, { mappingId, step: 'RETENTION' });
    await update(draft, { retentionDays: 30, step: 'SELECTION' });
    await update(draft, { step: 'SYNC' });
    expect(await again(draft)).toMatchObject({
      ...{ state: 'DRAFT', step: 'SYNC', retention_days: 30 },
      ...{ connection_id: connectionId, mapping_id: mappingId, mapping_version: 1 },
    });
    expect(await missingOf(draft)).toEqual([]);

    const run = await desk.sync(draft.id);
    expect(run).toMatchObject({ kind: 'INITIAL', state: 'SUCCEEDED', counts: { created: 3 } });
    expect(await again(draft)).toMatchObject({ state: 'ACTIVE', step: 'DONE' });
    expect(await eventsOf(draft.id)).toEqual([
      ...['data_source_changed', 'data_source_changed', 'data_source_changed'],
      ...['data_source_changed', 'data_source_created'],
    ]);
  });

  test('is not synced before it is complete; the refusal names everything at once', async () => {
    const draft = await openDraft();
    await expect(desk.start(draft.id)).rejects.toMatchObject({
      kind: 'precondition',
      message: expect.stringMatching(/connectionId: .* mappingId: /),
      detail: { reason: 'data_source_incomplete', field: 'connectionId' },
    });
    expect(await again(draft)).toMatchObject({ state: 'DRAFT' });
  });

  test('takes no mapping before its connection, nor one of another connection', async () => {
    const draft = await openDraft();
    const { connectionId, mappingId } = desk.neighbours;
    const refused = { kind: 'invalid', detail: { field: 'input.mappingId' } };
    await expect(update(draft, { mappingId })).rejects.toMatchObject(refused);
    await expect(
      update(draft, { connectionId, mappingId: newId('fm', FieldMappingId) }),
    ).rejects.toMatchObject({ kind: 'not_found', detail: { field: 'input.mappingId' } });
    expect(await again(draft)).toMatchObject({ connection_id: null, mapping_id: null });
  });

  test('follows nothing: its connection is not tracked for it', async () => {
    await openDraft();
    await createDataSource(desk.deps, {
      origin: desk.origin,
      input: { name: 'Half', connectionId: desk.neighbours.connectionId },
    });
    const { rows } = await desk.within((tx) => sql`select * from command_outbox`.execute(tx));
    expect(rows).toEqual([]);
  });
});

test('a source is renamed without a question to anybody, and a repeat says nothing more (OR-60)', async () => {
  const source = await desk.openSource();
  await desk.neighbours.stop();
  const renamed = await update(source, { name: 'EU CRM' });
  await update(source, { name: 'EU CRM' });

  expect(renamed.name).toBe('EU CRM');
  expect(await eventsOf(source.id)).toEqual(['data_source_created', 'data_source_changed']);
});

test('a source that is set up keeps its connection and mapping', async () => {
  const source = await desk.openSource();
  const { connectionId } = desk.neighbours;
  await expect(update(source, { connectionId })).rejects.toMatchObject({
    detail: { reason: 'data_source_set_up', field: 'input.connectionId' },
  });
});

const openDraft = () =>
  createDataSource(desk.deps, { origin: desk.origin, input: { name: 'Draft' } });

const update = ({ id }: DataSource, changes: SourceChanges) =>
  updateDataSource(desk.deps, { origin: desk.origin, dataSourceId: id, changes });

const again = ({ id }: DataSource) => desk.within((tx) => findSource(tx, desk.workspaceId, id));

async function missingOf(draft: DataSource): Promise<string[]> {
  const source = await again(draft);
  const missing = source ? await desk.within((tx) => findMissing(tx, source)) : [];
  return missing.map(({ field }) => field);
}

/** The events about a source, in order, without service and version. */
async function eventsOf(key: string): Promise<string[]> {
  const { rows } = await desk.within((tx) =>
    sql<{ name: string }>`select name from outbox where key = ${key} order by id`.execute(tx),
  );
  return rows.map(({ name }) => name.split('.')[1] ?? '');
}
