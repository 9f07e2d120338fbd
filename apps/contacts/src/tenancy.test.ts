import { ContactId, DataSourceId, SyncRunId, type WorkspaceId } from '@manifold/contracts';
import { acrossWorkspaces, newId, withWorkspace } from '@manifold/database';
import { createTestDatabase } from '@manifold/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as entities from './entities/store.ts';
import * as links from './links/store.ts';
import * as lists from './lists/store.ts';
import * as mappings from './mappings/store.ts';
import { migrations } from './migrations/index.ts';
import * as runs from './runs/store.ts';
import * as sources from './sources/store.ts';
import type { Db, Tables } from './store.ts';
import { type Call, callsOfLaterRooms, laterRooms } from '../test/store-calls.ts';
import { everythingIn, fillFeed, makeTenant } from '../test/tenant.ts';

const now = new Date('2026-03-01T12:00:00Z');
const later = new Date('2026-03-01T13:00:00Z');
const { db, ownerDb, drop } = await createTestDatabase<Tables>(migrations);
afterAll(drop);

const a = makeTenant(now);
const b = makeTenant(now);
const page = { limit: 10, backwards: false, cursor: undefined };
const list = { page, filter: {}, order: { field: 'NAME', direction: 'ASC' } } as const;
const scope = { workspaceId: a.id, dataSourceId: a.source.id, object: 'person' } as const;
const byOrganization = { ...scope, object: 'organization' } as const;
const elsewhere = {
  ...scope,
  connectionId: a.source.connection_id,
  dataSourceId: newId('ds', DataSourceId),
};
const changed = { ...a.contact, name: 'changed', values: {}, origins: {}, subscriptions: {} };
const lease = { id: 'theirs', now, until: later };
const mapping = { mappingId: a.source.mapping_id, version: 1 };

const ofSources: Record<keyof typeof sources, Call> = {
  insertSource: {
    call: (tx) => sources.insertSource(tx, { ...a.source, id: newId('ds', DataSourceId) }),
    finds: 'refused',
  },
  findSource: { call: (tx) => sources.findSource(tx, a.id, a.source.id), finds: undefined },
  lockSource: { call: (tx) => sources.lockSource(tx, a.id, a.source.id), finds: undefined },
  listSourcesByIds: { call: (tx) => sources.listSourcesByIds(tx, a.id, [a.source.id]), finds: [] },
  listActiveSources: {
    call: (tx) => sources.listActiveSources(tx, a.id, a.source.connection_id),
    finds: [],
  },
  listSourcePage: {
    call: (tx) => sources.listSourcePage(tx, a.id, { page, filter: {} }),
    finds: [],
  },
  countSources: { call: (tx) => sources.countSources(tx, a.id, {}), finds: 0 },
  updateSource: {
    call: (tx) => sources.updateSource(tx, a.id, { id: a.source.id, changes: { name: 'changed' } }),
    finds: undefined,
  },
  countLinks: {
    call: (tx) => sources.countLinks(tx, a.id, a.source.id),
    finds: { contacts: 0, accounts: 0 },
  },
};

const ofMappings: Record<keyof typeof mappings, Call> = {
  setMappingVersion: {
    call: (tx) => mappings.setMappingVersion(tx, a.id, { ...mapping, version: 9, now }),
    finds: undefined,
  },
  isMappingUsed: {
    call: (tx) => mappings.isMappingUsed(tx, a.id, a.source.mapping_id),
    finds: false,
  },
  insertMappingCopy: {
    call: (tx) => mappings.insertMappingCopy(tx, { ...a.copy, version: 2 }),
    finds: 'refused',
  },
  findMappingCopy: { call: (tx) => mappings.findMappingCopy(tx, a.id, mapping), finds: undefined },
  listMappingsInUse: { call: (tx) => mappings.listMappingsInUse(tx, a.id), finds: [] },
};

const ofRuns: Record<keyof typeof runs, Call> = {
  insertRun: {
    call: (tx) => runs.insertRun(tx, { ...a.run, id: newId('sr', SyncRunId), state: 'FAILED' }),
    finds: 'refused',
  },
  findRun: { call: (tx) => runs.findRun(tx, a.id, a.run.id), finds: undefined },
  lockRun: { call: (tx) => runs.lockRun(tx, a.id, a.run.id), finds: undefined },
  listRunsByIds: { call: (tx) => runs.listRunsByIds(tx, a.id, [a.run.id]), finds: [] },
  findActiveRun: { call: (tx) => runs.findActiveRun(tx, a.id, a.source.id), finds: undefined },
  findLastSuccess: { call: (tx) => runs.findLastSuccess(tx, a.id, a.source.id), finds: undefined },
  listLastRuns: { call: (tx) => runs.listLastRuns(tx, a.id, [a.source.id]), finds: [] },
  listRunPage: { call: (tx) => runs.listRunPage(tx, a.id, { page, filter: {} }), finds: [] },
  countRuns: { call: (tx) => runs.countRuns(tx, a.id, {}), finds: 0 },
  updateRun: {
    call: (tx) => runs.updateRun(tx, a.id, { id: a.run.id, changes: { done: 7 } }),
    finds: undefined,
  },
  extendLease: {
    call: (tx) => runs.extendLease(tx, a.id, { runId: a.run.id, id: 'mine', until: later }),
    finds: undefined,
  },
  wakeRuns: {
    call: (tx) => runs.wakeRuns(tx, a.id, { dataSourceIds: [a.source.id], now }),
    finds: undefined,
  },
  // looks at every workspace when it is allowed to; in the scope of one it takes that one's run
  leaseRun: {
    call: async (tx) => (await runs.leaseRun(tx, lease))?.workspace_id === a.id,
    finds: false,
  },
};

const ofEntities: Record<keyof typeof entities, Call> = {
  lockEntities: {
    call: (tx) => entities.lockEntities(tx, a.id, { object: 'person', ids: [a.contact.id] }),
    finds: [],
  },
  insertEntities: {
    call: (tx) =>
      entities.insertEntities(tx, 'person', [{ ...changed, id: newId('ct', ContactId) }]),
    finds: 'refused',
  },
  updateEntities: {
    call: (tx) => entities.updateEntities(tx, a.id, { object: 'person', rows: [changed] }),
    finds: undefined,
  },
  deleteContact: { call: (tx) => entities.deleteContact(tx, a.id, a.contact.id), finds: undefined },
  deleteAccount: {
    call: (tx) => entities.deleteAccount(tx, a.id, { id: a.account.id, survivor: null, now }),
    finds: undefined,
  },
};

const ofLinks: Record<keyof typeof links, Call> = {
  lockOrganizations: { call: (tx) => links.lockOrganizations(tx, scope), finds: undefined },
  lockLinks: { call: (tx) => links.lockLinks(tx, scope, ['1']), finds: [] },
  insertLinks: {
    call: (tx) => links.insertLinks(tx, [{ ...a.person, pipedrive_id: '2' }]),
    finds: 'refused',
  },
  updateLinks: {
    call: (tx) => links.updateLinks(tx, a.id, [{ ...a.person, webhook_ms: '7' }]),
    finds: undefined,
  },
  deleteLinks: { call: (tx) => links.deleteLinks(tx, scope, ['1']), finds: undefined },
  listAccountIds: { call: (tx) => links.listAccountIds(tx, scope, ['5']), finds: [] },
  listSiblings: { call: (tx) => links.listSiblings(tx, elsewhere, ['1']), finds: [] },
  listContactsByEmail: {
    call: (tx) => links.listContactsByEmail(tx, elsewhere, [a.contact.email]),
    finds: [],
  },
  listOtherSources: {
    call: (tx) => links.listOtherSources(tx, elsewhere, [a.contact.id]),
    finds: [],
  },
  countLiveLinks: { call: (tx) => links.countLiveLinks(tx, a.id, a.contact.id), finds: 0 },
  countLiveLinksOfEach: {
    call: (tx) => links.countLiveLinksOfEach(tx, a.id, { entityIds: [a.contact.id] }),
    finds: [],
  },
  clearLinksTo: { call: (tx) => links.clearLinksTo(tx, a.id, a.contact.id), finds: undefined },
  linkAwaiting: {
    call: (tx) =>
      links.linkAwaiting(tx, byOrganization, {
        organizations: [{ pipedrive_id: '6', entity_id: a.account.id }],
        now,
      }),
    finds: undefined,
  },
  awaitOrganization: {
    call: (tx) =>
      links.awaitOrganization(tx, byOrganization, { pipedriveId: '5', accountId: a.account.id }),
    finds: undefined,
  },
};

const ofLists: Record<keyof typeof lists, Call> = {
  listContactPage: { call: (tx) => lists.listContactPage(tx, a.id, list), finds: [] },
  listAccountPage: { call: (tx) => lists.listAccountPage(tx, a.id, list), finds: [] },
  countContacts: { call: (tx) => lists.countContacts(tx, a.id, {}), finds: 0 },
  countAccounts: { call: (tx) => lists.countAccounts(tx, a.id, {}), finds: 0 },
  listContactsByIds: { call: (tx) => lists.listContactsByIds(tx, a.id, [a.contact.id]), finds: [] },
  listAccountsByIds: { call: (tx) => lists.listAccountsByIds(tx, a.id, [a.account.id]), finds: [] },
  listMainLinks: { call: (tx) => lists.listMainLinks(tx, a.id, [a.contact.id]), finds: [] },
};

const calls: Record<string, Call> = {
  ...callsOfLaterRooms(a, { now, later }),
  ...ofSources,
  ...ofMappings,
  ...ofRuns,
  ...ofEntities,
  ...ofLinks,
  ...ofLists,
};
const names = Object.keys(calls);
const callOf = (name: string): Call =>
  calls[name] ?? { call: async () => 'missing', finds: undefined };
/** Holds a lock, whose key names the workspace. */
const LEAVES_NO_TRACE = ['lockOrganizations'];
/** Finds runs that succeeded; the one here is still under way. */
const FINDS_NOTHING = ['findLastSuccess'];

beforeAll(() =>
  acrossWorkspaces(db, async (tx) => {
    for (const tenant of [a, b]) {
      await tx.insertInto('data_source').values(tenant.source).execute();
      await tx.insertInto('mapping_copy').values(tenant.copy).execute();
      await tx.insertInto('sync_run').values(tenant.run).execute();
      await tx.insertInto('account').values(tenant.account).execute();
      await tx
        .insertInto('contact')
        .values({ ...tenant.contact, account_id: tenant.account.id })
        .execute();
      await tx.insertInto('contact').values(tenant.waiting).execute();
      await tx
        .insertInto('record_link')
        .values([tenant.person, tenant.organization, tenant.waiter])
        .execute();
      await fillFeed(tx, tenant, now);
    }
  }),
);

describe('in the scope of another workspace', () => {
  test.each(names)('%s finds and changes nothing', async (name) => {
    const { call, finds } = callOf(name);
    const before = await everythingOf(a.id);
    const found = await rolledBack(b.id, async (tx) => [await call(tx)]);

    expect(found.answer).toEqual(finds === 'refused' ? 'refused' : [finds]);
    expect(found.left).toEqual(before);
  });

  test.each(names.filter((name) => ![...LEAVES_NO_TRACE, ...FINDS_NOTHING].includes(name)))(
    'and %s finds or changes something in its own',
    async (name) => {
      // a call that fails or misses for another reason would prove nothing
      const { call, finds } = callOf(name);
      const before = await everythingOf(a.id);
      const found = await rolledBack(a.id, async (tx) => [await call(tx)]);
      expect(found.answer).not.toBe('refused');
      const same = { answer: [finds], left: before };
      expect({ answer: found.answer, left: found.left }).not.toEqual(same);
    },
  );
});

test('every store function is in the table', () => {
  const exported = [...[sources, mappings, runs, entities, links, lists], ...laterRooms].flatMap(
    (store) => Object.keys(store),
  );
  expect(names.toSorted()).toEqual(exported.toSorted());
});

test('every table forces row-level security', async () => {
  const { rows } = await sql<{ relname: string }>`select relname from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
      and relname not like 'kysely%' and not (relrowsecurity and relforcerowsecurity)`.execute(
    ownerDb,
  );
  expect(rows).toEqual([]);
});

test('every key and index of ours begins with the workspace', async () => {
  const { rows } = await sql<{
    name: string;
  }>`select indexrelid::regclass::text as name from pg_index
    join pg_attribute on attrelid = indrelid and attnum = indkey[0]
    where indrelid::regclass::text in
      ('data_source', 'mapping_copy', 'sync_run', 'contact', 'account', 'record_link', 'source_activity')
      and attname <> 'workspace_id'`.execute(ownerDb);
  expect(rows).toEqual([]);
});

const everythingOf = (workspaceId: WorkspaceId) =>
  withWorkspace(db, workspaceId, (tx) => everythingIn(tx, workspaceId));

/** What a call answers in a scope and what it leaves of A, without a lasting trace. */
async function rolledBack(scopeId: WorkspaceId, call: (tx: Db) => Promise<unknown>) {
  const undo = new Error('undo');
  const found: { answer: unknown; left: unknown } = { answer: undefined, left: undefined };
  await db
    .transaction()
    .execute(async (tx) => {
      await sql`select set_config('manifold.workspace', ${scopeId}, true)`.execute(tx);
      await sql`savepoint before`.execute(tx);
      found.answer = await call(tx).catch(async (error: unknown) => {
        await sql`rollback to savepoint before`.execute(tx);
        return String(error).includes('row-level security') ? 'refused' : error;
      });
      await sql`select set_config('manifold.workspace', ${a.id}, true)`.execute(tx);
      found.left = await everythingIn(tx, a.id);
      throw undo;
    })
    .catch((error: unknown) => {
      if (error !== undo) throw error;
    });
  return found;
}
