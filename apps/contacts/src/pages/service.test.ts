import { DataSourceId, SyncRunId, UserId, WorkspaceId } from '@manifold/contracts';
import { newId, withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import type { Origin } from '@manifold/messaging';
import { createTestDatabase, eventually, silentLog, startTestNats } from '@manifold/testing';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createMappings } from '../mappings/commands.ts';
import { migrations } from '../migrations/index.ts';
import {
  type Neighbours,
  organizationOf,
  personOf,
  startNeighbours,
} from '../neighbours.fixture.ts';
import { cancelSync, startSync } from '../runs/commands.ts';
import { progressOf } from '../runs/rules.ts';
import { findRun } from '../runs/store.ts';
import { archiveDataSource, createDataSource } from '../sources/commands.ts';
import type { Tables } from '../store.ts';
import { startSyncWorker } from './worker.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const { nats, stop } = await startTestNats();
const workspaceId = newId('ws', WorkspaceId);
const origin: Origin = {
  workspaceId,
  actor: { kind: 'user', id: newId('us', UserId) },
  correlationId: 'test',
};
const now = () => new Date();
const deps = { db, nats, now };

let neighbours: Neighbours;
let stops: (() => Promise<void>)[] = [];
beforeEach(() => {
  neighbours = startNeighbours(nats, silentLog);
  stops = [neighbours.stop];
});
afterEach(async () => {
  for (const stopOne of stops.toReversed()) await stopOne();
});
afterAll(async () => {
  await drop();
  await stop();
});

describe('a run', () => {
  test('brings organizations first, then persons with their accounts (OR-29, OR-30, OR-44)', async () => {
    fill({ organizations: 25, persons: 60 });
    const source = await openSource();

    const run = await sync(source.id);

    expect(neighbours.pages.map(({ object }) => object)).toEqual([
      ...['organization', 'organization', 'organization'],
      ...['person', 'person', 'person', 'person', 'person', 'person'],
    ]);
    expect(run.counts).toEqual({ created: 85 });
    expect(run.cost_tokens).toBe(9 * 10 + 2 * 2);
    expect(progressOf(run)).toMatchObject({ done: 85, total: 85, remainingSeconds: 0 });
    const [contact] = await contactsNamed('Person 00007');
    expect(contact).toMatchObject({
      ...{ name: 'Person 00007', email: 'person7@example.com', phone: '+49 30 7' },
      values: { industry: 'Farming', budget: { amount: 70, currency: 'EUR' } },
    });
    const [account] = await accountsNamed('Organization 7');
    expect(contact?.account_id).toBe(account?.id);
  });

  test('asks only for the fields its mapping names, and those it needs itself', async () => {
    fill({ organizations: 1, persons: 1 });
    await sync((await openSource()).id);

    expect(neighbours.pages.find(({ object }) => object === 'person')?.fields).not.toContain(
      'secret_note',
    );
    expect(neighbours.pages.find(({ object }) => object === 'person')?.fields).toContain('org_id');
  });

  test('publishes its start, one event per page and its end, and no value of a record', async () => {
    fill({ organizations: 10, persons: 20 });
    const run = await sync((await openSource()).id);

    const events = await eventsOf(run.id);
    expect(events.map(({ name }) => name.split('.')[1])).toEqual([
      ...['sync_started', 'records_synced', 'records_synced', 'records_synced', 'sync_finished'],
    ]);
    expect(JSON.stringify(events)).not.toMatch(/Person \d|example\.com/i);
    expect(events.at(-1)?.body).toMatchObject({
      payload: { state: 'SUCCEEDED', counts: { created: 30, skipped: 0 }, costTokens: 34 },
    });
  });

  test('that is cut off in the middle goes on where it was, nothing doubled, nothing lost (OR-38)', async () => {
    fill({ organizations: 20, persons: 95 });
    const source = await openSource();
    const unblock = blockPage(7);
    const stopFirst = startWorker();
    const { id } = await startSync(deps, { origin, dataSourceId: source.id });
    await eventually(async () => expect((await theRun(id)).done).toBeGreaterThanOrEqual(50));
    await stopFirst();
    const before = await theRun(id);
    unblock();
    expect(before).toMatchObject({ state: 'RUNNING', object: 'person' });

    startWorker();
    const run = await ended(id);

    expect(run).toMatchObject({ state: 'SUCCEEDED', done: 115, counts: { created: 115 } });
    expect(await countsOf(source.id)).toEqual({ contacts: 95, accounts: 20, links: 115 });
  });

  test('whose worker vanished is taken over when its lease is over, and the old one changes nothing', async () => {
    fill({ organizations: 10, persons: 30 });
    const source = await openSource();
    let clock = new Date();
    const unblock = blockPage(3);
    stops.push(
      startSyncWorker({
        ...deps,
        now: () => clock,
        mappings: createMappings(),
        log: silentLog,
        pageSize: 10,
      }),
    );
    const { id } = await startSync(deps, { origin, dataSourceId: source.id });
    await eventually(async () => expect((await theRun(id)).done).toBe(20));
    const stolen = await theRun(id);

    clock = new Date(clock.getTime() - 60_000);
    await withWorkspace(db, workspaceId, (tx) =>
      sql`update sync_run set lease_until = now() - interval '1 second' where id = ${id}`.execute(
        tx,
      ),
    );
    neighbours.beforePage = async () => undefined;
    startWorker();
    const run = await ended(id);
    unblock();

    expect(run.counts).toEqual({ created: 40 });
    expect(run.lease_id).not.toBe(stolen.lease_id);
    expect(await countsOf(source.id)).toEqual({ contacts: 30, accounts: 10, links: 40 });
  });

  test('waits, with the time shown, when the API budget is spent, and goes on by itself (OR-38)', async () => {
    fill({ organizations: 5, persons: 25 });
    const source = await openSource();
    const until = new Date(Date.now() + 1_500);
    neighbours.beforePage = async (page) => (page === 3 ? { waitUntil: until } : undefined);
    startWorker();
    const { id } = await startSync(deps, { origin, dataSourceId: source.id });

    const waiting = await eventually(async () => {
      const run = await theRun(id);
      expect(run.state).toBe('WAITING');
      return run;
    });
    expect(waiting).toMatchObject({ reason: 'budget_spent', not_before: until, done: 15 });
    const run = await ended(id);
    expect(run).toMatchObject({ state: 'SUCCEEDED', reason: null, counts: { created: 30 } });
    expect(Number(run.ended_at)).toBeGreaterThanOrEqual(until.getTime());
  });

  test('waits while connections is away and goes on when it is back', async () => {
    fill({ organizations: 5, persons: 5 });
    const source = await openSource();
    await neighbours.stop();
    startWorker();
    const { id } = await startSync(deps, { origin, dataSourceId: source.id });
    await eventually(async () =>
      expect(await theRun(id)).toMatchObject({ state: 'WAITING', reason: 'service_unavailable' }),
    );

    const back = startNeighbours(nats, silentLog);
    stops.push(back.stop);
    back.records = neighbours.records;

    expect(await ended(id)).toMatchObject({ state: 'SUCCEEDED', counts: { created: 10 } });
  });

  test('fails for good when Pipedrive refuses what it asks', async () => {
    fill({ organizations: 5, persons: 5 });
    const source = await openSource();
    neighbours.beforePage = async () => {
      throw new Refusal('invalid', 'refused', { reason: 'pipedrive_refused' });
    };

    const run = await sync(source.id);
    expect(run).toMatchObject({ state: 'FAILED', reason: 'pipedrive_refused' });
    expect((await eventsOf(run.id)).at(-1)?.body).toMatchObject({ payload: { state: 'FAILED' } });
  });

  test('that is cancelled stores no further page and keeps what it stored', async () => {
    fill({ organizations: 10, persons: 50 });
    const source = await openSource();
    const unblock = blockPage(3);
    startWorker();
    const { id } = await startSync(deps, { origin, dataSourceId: source.id });
    await eventually(async () => expect((await theRun(id)).done).toBe(20));

    expect((await cancelSync(deps, { origin, syncRunId: id })).state).toBe('CANCELLED');
    expect((await cancelSync(deps, { origin, syncRunId: id })).state).toBe('CANCELLED');
    unblock();
    const after = await sync(source.id);

    expect(await theRun(id)).toMatchObject({
      state: 'CANCELLED',
      done: 20,
      reason: 'cancelled_by_user',
    });
    expect(after.counts).toEqual({ created: 40, unchanged: 20 });
    await expect(cancelSync(deps, { origin, syncRunId: after.id })).rejects.toMatchObject({
      kind: 'conflict',
    });
  });

  test('has no total while Pipedrive does not tell one', async () => {
    fill({ organizations: 1, persons: 1 });
    neighbours.counts.known = false;
    expect(await sync((await openSource()).id)).toMatchObject({ state: 'SUCCEEDED', total: null });
  });
});

describe('a source', () => {
  test('has one run at a time; the refusal names it, and the same key gives the same run', async () => {
    const source = await openSource();
    const call = { origin, dataSourceId: source.id, idempotencyKey: `key-${source.id}` };
    const { id } = await startSync(deps, call);

    expect((await startSync(deps, call)).id).toBe(id);
    await expect(startSync(deps, { origin, dataSourceId: source.id })).rejects.toMatchObject({
      kind: 'conflict',
      message: expect.stringContaining(id),
      detail: { reason: 'sync_already_running' },
    });
    await cancelSync(deps, { origin, syncRunId: id });
  });

  test('read again without a change counts everything as unchanged and writes no contact', async () => {
    fill({ organizations: 5, persons: 20 });
    const source = await openSource();
    await sync(source.id);
    const before = await versions();
    neighbours.mapping = { ...neighbours.mapping, version: 2 };

    const run = await sync(source.id);
    expect(run).toMatchObject({ kind: 'INITIAL', mapping_version: 2, counts: { unchanged: 25 } });
    expect(await versions()).toEqual(before);
  });

  test('reads only what changed since the last run (OR-42)', async () => {
    fill({ organizations: 2, persons: 5 });
    const source = await openSource();
    const first = await sync(source.id);
    neighbours.records.person = neighbours.records.person.map((person, index) =>
      index === 2
        ? {
            ...personOf(3, { name: 'Changed' }),
            updateTime: new Date(Date.now() + 1_000).toISOString(),
          }
        : person,
    );

    const run = await sync(source.id);
    expect(run).toMatchObject({ kind: 'INCREMENTAL', done: 1, counts: { updated: 1 } });
    const since = neighbours.pages.at(-1)?.updatedSince ?? '';
    expect(since).toMatch(/:\d\d\.000Z$/);
    expect(Date.parse(since)).toBeLessThan(first.started_at?.getTime() ?? 0);
  });

  test('is not made of a mapping nobody published, nor of another connection', async () => {
    const input = {
      name: 'x',
      connectionId: neighbours.connectionId,
      mappingId: neighbours.mappingId,
    };
    const stranger = startNeighbours(nats, silentLog);
    await stranger.stop();
    await expect(
      createDataSource(deps, { origin, input: { ...input, mappingId: stranger.mappingId } }),
    ).rejects.toMatchObject({ kind: 'not_found' });
    await expect(
      createDataSource(deps, { origin, input: { ...input, connectionId: stranger.connectionId } }),
    ).rejects.toMatchObject({ kind: 'not_found' });
    await expect(
      startSync(deps, { origin, dataSourceId: newId('ds', DataSourceId) }),
    ).rejects.toMatchObject({ kind: 'not_found' });
  });

  test('that is archived cancels its run, starts no other and keeps its contacts (OR-51)', async () => {
    fill({ organizations: 1, persons: 3 });
    const source = await openSource();
    await sync(source.id);
    const { id } = await startSync(deps, { origin, dataSourceId: source.id });
    await archiveDataSource(deps, { origin, dataSourceId: source.id });

    await expect(startSync(deps, { origin, dataSourceId: source.id })).rejects.toMatchObject({
      detail: { reason: 'data_source_archived' },
    });
    expect(['CANCELLED', 'SUCCEEDED']).toContain((await theRun(id)).state);
    expect(await countsOf(source.id)).toEqual({ contacts: 3, accounts: 1, links: 4 });
  });

  test('under "new records only" leaves existing contacts alone and says how many (OR-27, OR-36)', async () => {
    fill({ organizations: 0, persons: 3 });
    neighbours.mapping.source.policy.existing = 'ignore';
    const source = await openSource();
    await sync(source.id);
    neighbours.records.person = [1, 2, 3].map((id) =>
      personOf(id, { name: 'Changed', second: 60 }),
    );
    neighbours.mapping = { ...neighbours.mapping, version: 2 };

    const run = await sync(source.id);
    expect(run.counts).toEqual({ skipped: 3, existing_record_left_alone: 3 });
    expect(await contactsNamed('Changed')).toEqual([]);
  });

  test('under "no new records" makes none, and leaves no trace of them', async () => {
    fill({ organizations: 0, persons: 3 });
    neighbours.mapping.source.policy.createMissing = false;
    const source = await openSource();

    const run = await sync(source.id);
    expect(run.counts).toEqual({ skipped: 3, unknown_record_not_created: 3 });
    expect(await countsOf(source.id)).toEqual({ contacts: 0, accounts: 0, links: 0 });
  });
});

test('10,000 persons and 2,000 organizations are here in well under 20 seconds', async () => {
  fill({ organizations: 2_000, persons: 10_000 });
  const source = await openSource();
  stops.push(startSyncWorker({ ...deps, mappings: createMappings(), log: silentLog }));
  const started = performance.now();
  const { id } = await startSync(deps, { origin, dataSourceId: source.id });
  const run = await ended(id, 20_000);

  expect(run.counts).toEqual({ created: 12_000 });
  expect(performance.now() - started).toBeLessThan(15_000);
}, 30_000);

function fill({ organizations, persons }: { organizations: number; persons: number }): void {
  neighbours.records.organization = range(organizations).map((id) => organizationOf(id));
  neighbours.records.person = range(persons).map((id) => {
    const email = `person${id}@Example.com`;
    return personOf(
      id,
      organizations === 0 ? { email } : { email, organization: 1 + ((id - 1) % organizations) },
    );
  });
}

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

async function openSource() {
  const { connectionId, mappingId } = neighbours;
  await withWorkspace(db, workspaceId, (tx) =>
    sql`with gone as (delete from contact), also as (delete from account) delete from record_link`.execute(
      tx,
    ),
  );
  return createDataSource(deps, { origin, input: { name: 'Sales', connectionId, mappingId } });
}

function startWorker(): () => Promise<void> {
  const stopWorker = startSyncWorker({
    ...deps,
    mappings: createMappings(),
    log: silentLog,
    pageSize: 10,
  });
  stops.push(stopWorker);
  return stopWorker;
}

/** Holds every page from this one on; returns how to let them go. */
function blockPage(number: number): () => void {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  neighbours.beforePage = async (page) => (page >= number ? promise : undefined);
  return () => resolve(undefined);
}

async function sync(dataSourceId: DataSourceId) {
  const stopWorker = startWorker();
  const { id } = await startSync(deps, { origin, dataSourceId });
  const run = await ended(id);
  await stopWorker();
  return run;
}

const theRun = async (id: SyncRunId) => {
  const run = await withWorkspace(db, workspaceId, (tx) => findRun(tx, workspaceId, id));
  if (!run) throw new Error('no such run');
  return run;
};

const ended = (id: SyncRunId, timeoutMs = 12_000) =>
  eventually(
    async () => {
      const run = await theRun(id);
      expect(run.ended_at, `${run.state} ${run.reason}`).not.toBeNull();
      return run;
    },
    { timeoutMs },
  );

const rowsOf = <Row>(query: ReturnType<typeof sql<Row>>) =>
  withWorkspace(db, workspaceId, async (tx) => (await query.execute(tx)).rows);

const contactsNamed = (name: string) =>
  rowsOf(
    sql<{
      name: string;
      email: string;
      account_id: string;
    }>`select * from contact where name = ${name}`,
  );

const accountsNamed = (name: string) =>
  rowsOf(sql<{ id: string }>`select * from account where name = ${name}`);

const versions = () =>
  rowsOf(
    sql<object>`select id, xmin from contact union all select id, xmin from account order by id`,
  );

const eventsOf = (key: string) =>
  rowsOf(
    sql<{
      name: string;
      body: object;
    }>`select name, body from outbox where key = ${key} order by id`,
  );

async function countsOf(dataSourceId: string) {
  const [row] = await rowsOf(sql<object>`select (select count(*)::int from contact) as contacts,
    (select count(*)::int from account) as accounts,
    (select count(*)::int from record_link where data_source_id = ${dataSourceId}) as links`);
  return row;
}
