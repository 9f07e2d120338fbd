import { AuditEntryId, EventId, WorkspaceId } from '@manifold/contracts';
import { acrossWorkspaces, newId, withWorkspace } from '@manifold/database';
import { createTestDatabase } from '@manifold/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as ledger from './ledger/store.ts';
import { migrations } from './migrations/index.ts';
import type { Db, NewEntry, Tables } from './store.ts';

const { db, ownerDb, drop } = await createTestDatabase<Tables>(migrations);
afterAll(drop);

const [a, b] = [newId('ws', WorkspaceId), newId('ws', WorkspaceId)];
const entry = makeEntry(a);
const page = { limit: 10, backwards: false, cursor: undefined };
const about = { subjects: [entry.target_id], most: 10 };

/** Each store function about the rows of A: what B must find, and how many A finds. */
const calls: Record<string, { call: (tx: Db) => Promise<unknown>; inB: unknown; inA: unknown }> = {
  listEntries: {
    call: (tx) => ledger.listEntries(tx, a, { filter: {}, page, descending: true }),
    inB: [],
    inA: [expect.objectContaining({ id: entry.id })],
  },
  countEntries: {
    call: (tx) => ledger.countEntries(tx, a, { filter: {}, most: 10 }),
    inB: 0,
    inA: 1,
  },
  listEntriesByIds: {
    call: (tx) => ledger.listEntriesByIds(tx, a, [entry.id]),
    inB: [],
    inA: [expect.objectContaining({ id: entry.id })],
  },
  listEntriesAbout: {
    call: (tx) => ledger.listEntriesAbout(tx, a, about),
    inB: [],
    inA: [expect.objectContaining({ id: entry.id })],
  },
  insertLines: {
    call: (tx) => ledger.insertLines(tx, [{ entry: { ...entry, ...makeIds() }, subjects: ['x'] }]),
    inB: 'refused',
    inA: undefined,
  },
};

beforeAll(() =>
  withWorkspace(db, a, (tx) => ledger.insertLines(tx, [{ entry, subjects: [entry.target_id] }])),
);

test.each(Object.keys(calls))('%s reaches nothing from another workspace', async (name) => {
  const { call, inA, inB } = calls[name] ?? { call: async () => 'missing', inA: 0, inB: 0 };
  const before = await everything();

  const foreign = await withWorkspace(db, b, call).catch((error: unknown) =>
    String(error).includes('row-level security') ? 'refused' : error,
  );
  expect(foreign).toEqual(inB);
  expect(await everything()).toEqual(before);
  expect(await withWorkspace(db, a, call)).toEqual(inA);
});

test('every store function is in the table', () => {
  expect(Object.keys(calls).toSorted()).toEqual(Object.keys(ledger).toSorted());
});

test('every table forces row-level security', async () => {
  const { rows } = await sql`select relname from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
      and relname not like 'kysely%' and not (relrowsecurity and relforcerowsecurity)`.execute(
    ownerDb,
  );
  expect(rows).toEqual([]);
});

const everything = () =>
  acrossWorkspaces(db, (tx) => tx.selectFrom('audit_entry').selectAll().orderBy('id').execute());

function makeIds() {
  const event_id = newId('ev', EventId);
  return { event_id, id: AuditEntryId.parse(`au_${event_id.slice(3)}`) };
}

function makeEntry(workspace_id: WorkspaceId): NewEntry {
  return {
    workspace_id,
    ...makeIds(),
    occurred_at: new Date('2026-03-01'),
    service: 'contacts',
    action: 'contacts.sync_started',
    actor_kind: 'service',
    actor_id: 'contacts',
    actor_api_key_id: null,
    target_type: 'SyncRun',
    target_id: 'sr_1',
    outcome: 'succeeded',
    reason: null,
    cost_tokens: null,
    connection_id: null,
    object: null,
    pipedrive_id: null,
    correlation_id: 'c',
    causation_id: null,
  };
}
