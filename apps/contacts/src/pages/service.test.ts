import { Refusal } from '@manifold/errors';
import { createTestDatabase, eventually, silentLog, startTestNats } from '@manifold/testing';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createMappings } from '../mappings/commands.ts';
import { migrations } from '../migrations/index.ts';
import { cancelSync } from '../runs/ending.ts';
import { progressOf } from '../runs/rules.ts';
import { estimatePrice } from '../sizes/rules.ts';
import type { SyncRun, Tables } from '../store.ts';
import { personOf } from '../../test/records.ts';
import { type Desk, openDesk } from '../../test/sync.ts';
import { storePage } from './commands.ts';

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

describe('a run', () => {
  test('brings organizations first, then persons with their accounts (OR-29, OR-30, OR-44)', async () => {
    desk.fill({ organizations: 25, persons: 60 });
    const source = await desk.openSource();

    const run = await desk.sync(source.id);

    expect(desk.neighbours.pages.map(({ object }) => object)).toEqual([
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
    desk.fill({ organizations: 1, persons: 1 });
    await desk.sync((await desk.openSource()).id);

    expect(desk.neighbours.pages.find(({ object }) => object === 'person')?.fields).not.toContain(
      'secret_note',
    );
    expect(desk.neighbours.pages.find(({ object }) => object === 'person')?.fields).toContain(
      'org_id',
    );
  });

  test('publishes its start, one event per page and its end, and no value of a record', async () => {
    desk.fill({ organizations: 10, persons: 20 });
    const run = await desk.sync((await desk.openSource()).id);

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
    desk.fill({ organizations: 20, persons: 95 });
    const source = await desk.openSource();
    const unblock = desk.blockPages(7);
    const stopFirst = desk.startWorker();
    const { id } = await desk.start(source.id);
    await eventually(async () => expect((await desk.theRun(id)).done).toBeGreaterThanOrEqual(50));
    await stopFirst();
    const before = await desk.theRun(id);
    unblock();
    expect(before).toMatchObject({ state: 'RUNNING', object: 'person' });

    desk.startWorker();
    const run = await desk.ended(id);

    expect(run).toMatchObject({ state: 'SUCCEEDED', done: 115, counts: { created: 115 } });
    expect(await countsOf(source.id)).toEqual({ contacts: 95, accounts: 20, links: 115 });
  });

  test('whose worker vanished is taken over when its lease is over, and the old one changes nothing', async () => {
    desk.fill({ organizations: 10, persons: 30 });
    const source = await desk.openSource();
    let behindMs = 0;
    const unblock = desk.blockPages(3);
    desk.startWorker({ now: () => new Date(Date.now() - behindMs) });
    const { id } = await desk.start(source.id);
    await eventually(async () => expect((await desk.theRun(id)).done).toBe(20));
    const stolen = await desk.theRun(id);

    // its heartbeat no longer reaches the present
    behindMs = 60_000;
    await desk.within((tx) =>
      sql`update sync_run set lease_until = now() - interval '1 second' where id = ${id}`.execute(
        tx,
      ),
    );
    desk.neighbours.beforePage = async () => undefined;
    desk.startWorker();
    const run = await desk.ended(id);
    unblock();
    const held = { run: stolen, leaseId: stolen.lease_id ?? '' };
    const position = { object: stolen.object, cursor: stolen.cursor };
    const late = { position, next: undefined, records: [personOf(99)], costTokens: 1 };
    const mappings = createMappings();

    expect(await storePage({ ...desk.deps, mappings }, held, late)).toBeUndefined();
    expect(run.counts).toEqual({ created: 40 });
    expect(await countsOf(source.id)).toEqual({ contacts: 30, accounts: 10, links: 40 });
  });

  test('waits, with the time shown, when the API budget is spent, and goes on by itself (OR-38)', async () => {
    desk.fill({ organizations: 5, persons: 25 });
    const source = await desk.openSource();
    let until = new Date(0);
    desk.neighbours.beforePage = async (page) => {
      if (page !== 3) return undefined;
      until = new Date(Date.now() + 2_000);
      return { waitUntil: until };
    };
    desk.startWorker();
    const { id } = await desk.start(source.id);

    const waiting = await eventually(async () => {
      const run = await desk.theRun(id);
      expect(run.state).toBe('WAITING');
      return run;
    });
    expect(waiting).toMatchObject({ reason: 'budget_spent', not_before: until, done: 15 });
    const run = await desk.ended(id);
    expect(run).toMatchObject({ state: 'SUCCEEDED', reason: null, counts: { created: 30 } });
    expect(Number(run.ended_at)).toBeGreaterThanOrEqual(until.getTime());
  });

  test('waits while connections is away and goes on when it is back', async () => {
    desk.fill({ organizations: 5, persons: 5 });
    const source = await desk.openSource();
    await desk.neighbours.stop();
    desk.startWorker();
    const { id } = await desk.start(source.id);
    await eventually(async () =>
      expect(await desk.theRun(id)).toMatchObject({
        state: 'WAITING',
        reason: 'service_unavailable',
      }),
    );

    desk.neighbours.restart();

    expect(await desk.ended(id)).toMatchObject({ state: 'SUCCEEDED', counts: { created: 10 } });
  });

  test('fails for good when Pipedrive refuses what it asks', async () => {
    desk.fill({ organizations: 5, persons: 5 });
    const source = await desk.openSource();
    desk.neighbours.beforePage = async () => {
      throw new Refusal('invalid', 'refused', { reason: 'pipedrive_refused' });
    };

    const run = await desk.sync(source.id);
    expect(run).toMatchObject({ state: 'FAILED', reason: 'pipedrive_refused' });
    expect((await eventsOf(run.id)).at(-1)?.body).toMatchObject({ payload: { state: 'FAILED' } });
  });

  test('that is cancelled stores no further page and keeps what it stored', async () => {
    desk.fill({ organizations: 10, persons: 50 });
    const source = await desk.openSource();
    const unblock = desk.blockPages(3);
    desk.startWorker();
    const { id } = await desk.start(source.id);
    await eventually(async () => expect((await desk.theRun(id)).done).toBe(20));

    expect((await cancelSync(desk.deps, { origin: desk.origin, syncRunId: id })).state).toBe(
      'CANCELLED',
    );
    expect((await cancelSync(desk.deps, { origin: desk.origin, syncRunId: id })).state).toBe(
      'CANCELLED',
    );
    unblock();
    const after = await desk.sync(source.id);

    expect(await desk.theRun(id)).toMatchObject({
      state: 'CANCELLED',
      done: 20,
      reason: 'cancelled_by_user',
    });
    expect(after.counts).toEqual({ created: 40, unchanged: 20 });
    await expect(
      cancelSync(desk.deps, { origin: desk.origin, syncRunId: after.id }),
    ).rejects.toMatchObject({
      kind: 'conflict',
    });
  });

  test('has no total while none can be told, and the exact one at the end', async () => {
    desk.fill({ organizations: 1, persons: 20 });
    desk.neighbours.sizes = 'unknown';
    const unblock = desk.blockPages(3);
    desk.startWorker();
    const { id } = await desk.start((await desk.openSource()).id);
    const half = await runAt(id, 11);
    expect([half.total, estimatePrice(half)]).toEqual([null, null]);

    unblock();
    expect(await desk.ended(id)).toMatchObject({ state: 'SUCCEEDED', total: 21 });
  });

  test('estimates its total and time from the highest id, ever nearer', async () => {
    desk.fill({ organizations: 10, persons: 60 });
    for (const person of desk.neighbours.records.person) person.id = String(2 * Number(person.id));
    desk.neighbours.sizes = 'highest-id';
    const release = desk.blockPages(1);
    desk.startWorker();
    const { id } = await desk.start((await desk.openSource()).id);
    await eventually(async () => expect((await desk.theRun(id)).total).toBe(10 + 120));

    const unblock = desk.blockPages(3);
    release();
    const half = await runAt(id, 20);
    expect(half).toMatchObject({ total: 10 + 60 });
    expect(estimatePrice(half)).toBe(half.cost_tokens + 10);
    expect(progressOf(half).remainingSeconds).toBeGreaterThanOrEqual(0);

    unblock();
    const run = await desk.ended(id);
    expect(run).toMatchObject({ total: 70, done: 70 });
    expect(estimatePrice(run)).toBe(run.cost_tokens);
  });

  test('that reads only what changed knows its total at the end', async () => {
    desk.fill({ organizations: 1, persons: 30 });
    desk.neighbours.sizes = 'highest-id';
    const source = await desk.openSource();
    await desk.sync(source.id);
    desk.neighbours.records.person[0] = personOf(1, { name: 'New', second: 10 ** 9 });
    expect(await desk.sync(source.id)).toMatchObject({ kind: 'INCREMENTAL', total: 1, done: 1 });
  });
});

test('10,000 persons and 2,000 organizations are here after one run, each once', async () => {
  desk.fill({ organizations: 2_000, persons: 10_000 });
  const source = await desk.openSource();
  desk.startWorker({ pageSize: 500 });
  const { id } = await desk.start(source.id);
  const run = await desk.ended(id, 20_000);

  expect(run).toMatchObject({ counts: { created: 12_000 }, done: 12_000 });
}, 30_000);

const runAt = (id: SyncRun['id'], done: number) =>
  eventually(async () => {
    const run = await desk.theRun(id);
    expect(run.done).toBe(done);
    return run;
  });

interface Row {
  id: string;
  account_id: string;
}

const contactsNamed = (name: string) =>
  rowsOf(sql<Row>`select * from contact where name = ${name}`);

const accountsNamed = (name: string) =>
  rowsOf(sql<Row>`select * from account where name = ${name}`);

const eventsOf = (key: string) =>
  rowsOf(
    sql<{
      name: string;
      body: object;
    }>`select name, body from outbox where key = ${key} order by id`,
  );

const rowsOf = <Row>(query: ReturnType<typeof sql<Row>>) =>
  desk.within(async (tx) => (await query.execute(tx)).rows);

async function countsOf(dataSourceId: string) {
  const [row] = await rowsOf(sql<object>`select (select count(*)::int from contact) as contacts,
    (select count(*)::int from account) as accounts,
    (select count(*)::int from record_link where data_source_id = ${dataSourceId}) as links`);
  return row;
}
