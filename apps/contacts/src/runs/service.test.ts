import { DataSourceId, SyncRunId } from '@manifold/contracts';
import { newId } from '@manifold/database';
import { createTestDatabase, eventually, silentLog, startTestNats } from '@manifold/testing';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { migrations } from '../migrations/index.ts';
import { startNeighbours } from '../../test/neighbours.ts';
import { personOf } from '../../test/records.ts';
import { changeLife } from '../life/commands.ts';
import { createDataSource } from '../sources/commands.ts';
import type { Tables } from '../store.ts';
import { type Desk, openDesk } from '../../test/sync.ts';
import { startSync } from './commands.ts';
import { cancelSync } from './ending.ts';

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

describe('a source', () => {
  test('has one run at a time; the refusal names it, and the same key gives the same run', async () => {
    const source = await desk.openSource();
    const call = {
      origin: desk.origin,
      dataSourceId: source.id,
      idempotencyKey: `key-${source.id}`,
    };
    const { id } = await startSync(desk.deps, call);

    expect((await startSync(desk.deps, call)).id).toBe(id);
    await expect(desk.start(source.id)).rejects.toMatchObject({
      kind: 'conflict',
      message: expect.stringContaining(id),
      detail: { reason: 'sync_already_running' },
    });
    await cancelSync(desk.deps, { origin: desk.origin, syncRunId: id });
  });

  test('read again without a change counts everything as unchanged and writes no contact', async () => {
    desk.fill({ organizations: 5, persons: 20 });
    const source = await desk.openSource();
    await desk.sync(source.id);
    const before = await versions();
    desk.neighbours.mapping = { ...desk.neighbours.mapping, version: 2 };

    const run = await desk.sync(source.id);
    expect(run).toMatchObject({ kind: 'INITIAL', mapping_version: 2, counts: { unchanged: 25 } });
    expect(await versions()).toEqual(before);
  });

  test('reads only what changed since the last run (OR-42)', async () => {
    desk.fill({ organizations: 2, persons: 5 });
    const source = await desk.openSource();
    const first = await desk.sync(source.id);
    desk.neighbours.records.person = desk.neighbours.records.person.map((person, index) =>
      index === 2
        ? {
            ...personOf(3, { name: 'Changed' }),
            updateTime: new Date(Date.now() + 1_000).toISOString(),
          }
        : person,
    );

    const run = await desk.sync(source.id);
    expect(run).toMatchObject({ kind: 'INCREMENTAL', done: 1, counts: { updated: 1 } });
    const since = desk.neighbours.pages.at(-1)?.updatedSince ?? '';
    expect(since).toMatch(/:\d\d\.000Z$/);
    expect(Date.parse(since)).toBeLessThan(first.started_at?.getTime() ?? 0);
  });

  test('is not made of a mapping nobody published, nor of another connection', async () => {
    const input = {
      name: 'x',
      connectionId: desk.neighbours.connectionId,
      mappingId: desk.neighbours.mappingId,
    };
    const stranger = startNeighbours(nats, silentLog);
    await stranger.stop();
    await expect(
      createDataSource(desk.deps, {
        origin: desk.origin,
        input: { ...input, mappingId: stranger.mappingId },
      }),
    ).rejects.toMatchObject(notFound('input.mappingId'));
    await expect(
      createDataSource(desk.deps, {
        origin: desk.origin,
        input: { ...input, connectionId: stranger.connectionId },
      }),
    ).rejects.toMatchObject(notFound('input.connectionId'));
    await expect(
      startSync(desk.deps, { origin: desk.origin, dataSourceId: newId('ds', DataSourceId) }),
    ).rejects.toMatchObject(notFound('input.dataSourceId'));
    const call = { origin: desk.origin, syncRunId: newId('sr', SyncRunId) };
    await expect(cancelSync(desk.deps, call)).rejects.toMatchObject(notFound('input.syncRunId'));
  });

  test('that is archived cancels its run, starts no other and keeps its contacts (OR-51)', async () => {
    desk.fill({ organizations: 1, persons: 3 });
    const source = await desk.openSource();
    await desk.sync(source.id);
    const { id } = await desk.start(source.id);
    await changeLife(desk.deps, {
      act: 'archive',
      origin: desk.origin,
      dataSourceId: source.id,
    });

    await expect(desk.start(source.id)).rejects.toMatchObject({
      detail: { reason: 'data_source_archived' },
    });
    expect(['CANCELLED', 'SUCCEEDED']).toContain((await desk.theRun(id)).state);
    expect(await countsOf(source.id)).toEqual({ contacts: 3, accounts: 1, links: 4 });
  });

  test('under "new records only" leaves existing contacts alone and says how many (OR-27, OR-36)', async () => {
    desk.fill({ organizations: 0, persons: 3 });
    desk.neighbours.mapping.source.policy.existing = 'ignore';
    const source = await desk.openSource();
    await desk.sync(source.id);
    desk.neighbours.records.person = [1, 2, 3].map((id) =>
      personOf(id, { name: 'Changed', second: 60 }),
    );
    desk.neighbours.mapping = { ...desk.neighbours.mapping, version: 2 };

    const run = await desk.sync(source.id);
    expect(run.counts).toEqual({ skipped: 3, existing_record_left_alone: 3 });
    expect(await contactsNamed('Changed')).toEqual([]);
  });

  test('under "no new records" makes none, and leaves no trace of them', async () => {
    desk.fill({ organizations: 0, persons: 3 });
    desk.neighbours.mapping.source.policy.createMissing = false;
    const source = await desk.openSource();

    const run = await desk.sync(source.id);
    expect(run.counts).toEqual({ skipped: 3, unknown_record_not_created: 3 });
    expect(await countsOf(source.id)).toEqual({ contacts: 0, accounts: 0, links: 0 });
  });
});

const contactsNamed = (name: string) =>
  rowsOf(sql<object>`select * from contact where name = ${name}`);

/** Every row with the transaction that wrote it last. */
const versions = () =>
  rowsOf(
    sql<object>`select id, xmin from contact union all select id, xmin from account order by id`,
  );

const rowsOf = <Row>(query: ReturnType<typeof sql<Row>>) =>
  desk.within(async (tx) => (await query.execute(tx)).rows);

async function countsOf(dataSourceId: string) {
  const [row] = await rowsOf(sql<object>`select (select count(*)::int from contact) as contacts,
    (select count(*)::int from account) as accounts,
    (select count(*)::int from record_link where data_source_id = ${dataSourceId}) as links`);
  return row;
}

const notFound = (field: string) => ({
  kind: 'not_found',
  detail: { field, fix: expect.stringContaining('of this workspace') },
});
