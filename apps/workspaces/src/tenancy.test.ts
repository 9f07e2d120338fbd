import { ApiKeyId, MemberId, UserId, WorkspaceId } from '@manifold/contracts';
import { acrossWorkspaces, newId, withWorkspace } from '@manifold/database';
import { createTestDatabase } from '@manifold/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as directory from './directory/store.ts';
import * as keys from './keys/store.ts';
import * as members from './members/store.ts';
import { migrations } from './migrations/index.ts';
import type { Db, Tables } from './store.ts';
import * as workspaces from './workspaces/store.ts';

const now = new Date('2026-03-01');
const { db, ownerDb, drop } = await createTestDatabase<Tables>(migrations);
afterAll(drop);

const a = makeTenant();
const b = makeTenant();
const page = { limit: 10, backwards: false, cursor: undefined };
const list = { page, filter: {}, descending: false };
const person = { userId: a.userId };

/** Each store function, called in the scope of B about the rows of A, and what it must find. */
const calls: Record<string, { call: (tx: Db) => Promise<unknown>; finds: unknown }> = {
  findWorkspace: { call: (tx) => workspaces.findWorkspace(tx, a.id), finds: undefined },
  insertWorkspace: { call: (tx) => workspaces.insertWorkspace(tx, a.workspace), finds: 'refused' },
  listSwitchedOff: { call: (tx) => workspaces.listSwitchedOff(tx, a.id), finds: [] },
  setEntitlementRow: {
    call: (tx) => workspaces.setEntitlementRow(tx, { ...a.entitlement, enabled: true }),
    finds: 'refused',
  },
  listMembers: { call: (tx) => members.listMembers(tx, a.id, list), finds: [] },
  countMembers: { call: (tx) => members.countMembers(tx, a.id, {}), finds: 0 },
  listMembersByIds: { call: (tx) => members.listMembersByIds(tx, a.id, [a.memberId]), finds: [] },
  listUsersByIds: { call: (tx) => members.listUsersByIds(tx, a.id, [a.userId]), finds: [] },
  findMember: { call: (tx) => members.findMember(tx, a.id, a.memberId), finds: undefined },
  findMemberOfUser: {
    call: (tx) => members.findMemberOfUser(tx, a.id, a.userId),
    finds: undefined,
  },
  lockOwners: { call: (tx) => members.lockOwners(tx, a.id), finds: 0 },
  insertMember: {
    call: (tx) => members.insertMember(tx, { ...a.member, id: newId('mb', MemberId) }),
    finds: 'refused',
  },
  setRole: {
    call: (tx) => members.setRole(tx, { workspaceId: a.id, id: a.memberId, role: 'VIEWER' }),
    finds: undefined,
  },
  deleteMember: { call: (tx) => members.deleteMember(tx, a.id, a.memberId), finds: undefined },
  listApiKeys: { call: (tx) => keys.listApiKeys(tx, a.id, list), finds: [] },
  countApiKeys: { call: (tx) => keys.countApiKeys(tx, a.id, {}), finds: 0 },
  listApiKeysByIds: { call: (tx) => keys.listApiKeysByIds(tx, a.id, [a.keyId]), finds: [] },
  insertApiKey: {
    call: (tx) =>
      keys.insertApiKey(tx, { ...a.apiKey, id: newId('ak', ApiKeyId), key_hash: 'other' }),
    finds: 'refused',
  },
  revokeKey: {
    call: (tx) => keys.revokeKey(tx, { workspaceId: a.id, id: a.keyId }, now),
    finds: undefined,
  },
  revokeKeysOfUser: {
    call: (tx) => keys.revokeKeysOfUser(tx, { workspaceId: a.id, userId: a.userId }, now),
    finds: [],
  },
  // look-ups across workspaces find nothing when a workspace is in scope
  findKeyByHash: {
    call: (tx) => directory.findKeyByHash(tx, a.apiKey.key_hash),
    finds: undefined,
  },
  findKeyOfUser: {
    call: (tx) => directory.findKeyOfUser(tx, { id: a.keyId, userId: a.userId }),
    finds: undefined,
  },
  listStandings: { call: (tx) => directory.listStandings(tx, person), finds: [] },
  setLastUsed: {
    call: (tx) => directory.setLastUsed(tx, { id: a.keyId, workspaceId: a.id }, now),
    finds: undefined,
  },
  findOrInsertUser: {
    call: (tx) => directory.findOrInsertUser(tx, { id: a.userId, email: a.user.email, now }),
    finds: 'refused',
  },
};
/** Asks nothing about anybody: whether the installation is new. */
const ABOUT_NOBODY = ['anyWorkspaceExists'];

beforeAll(() =>
  acrossWorkspaces(db, async (tx) => {
    for (const tenant of [a, b]) {
      await tx.insertInto('workspace').values(tenant.workspace).execute();
      await tx.insertInto('app_user').values(tenant.user).execute();
      await tx.insertInto('member').values(tenant.member).execute();
      await tx.insertInto('api_key').values(tenant.apiKey).execute();
      await tx.insertInto('entitlement').values(tenant.entitlement).execute();
    }
  }),
);

describe('in the scope of another workspace', () => {
  test.each(Object.keys(calls))('%s finds and changes nothing', async (name) => {
    const { call, finds } = calls[name] ?? { call: async () => 'missing', finds: undefined };
    const before = await everything();
    const found = await withWorkspace(db, b.id, call).catch((error: unknown) =>
      String(error).includes('row-level security') ? 'refused' : error,
    );

    expect(found).toEqual(finds);
    expect(await everything()).toEqual(before);
  });

  test.each(Object.keys(calls))('and %s reaches it in its own', async (name) => {
    // a table of calls that fail for another reason would prove nothing
    const { call } = calls[name] ?? { call: async () => undefined };
    const own = await rolledBack(name in directory ? '*' : a.id, call);
    expect(own).not.toBe('refused');
  });
});

test('every store function is in the table', () => {
  const exported = [directory, keys, members, workspaces].flatMap((store) => Object.keys(store));
  expect([...Object.keys(calls), ...ABOUT_NOBODY].toSorted()).toEqual(exported.toSorted());
});

test('every table forces row-level security', async () => {
  const { rows } = await sql<{ relname: string }>`select relname from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
      and relname not like 'kysely%' and not (relrowsecurity and relforcerowsecurity)`.execute(
    ownerDb,
  );
  expect(rows).toEqual([]);
});

function makeTenant() {
  const id = newId('ws', WorkspaceId);
  const userId = newId('us', UserId);
  const [memberId, keyId] = [newId('mb', MemberId), newId('ak', ApiKeyId)];
  const at = { workspace_id: id, created_at: now };
  const role = 'OWNER' as const;
  return {
    id,
    userId,
    memberId,
    keyId,
    workspace: { ...at, name: 'W' },
    user: { id: userId, email: `${userId}@example.com`, created_at: now },
    member: { ...at, id: memberId, user_id: userId, name: 'M', role },
    apiKey: {
      ...at,
      ...{ id: keyId, user_id: userId, name: 'K', key_hash: `hash of ${keyId}`, prefix: 'mf_' },
      ...{ created_by: userId, reach: 'workspace' as const },
    },
    entitlement: {
      ...{ workspace_id: id, name: 'bulk_changes' as const, enabled: false, changed_at: now },
    },
  };
}

const everything = () =>
  acrossWorkspaces(db, async (tx) => ({
    workspaces: await tx.selectFrom('workspace').selectAll().orderBy('workspace_id').execute(),
    users: await tx.selectFrom('app_user').selectAll().orderBy('id').execute(),
    members: await tx.selectFrom('member').selectAll().orderBy('id').execute(),
    keys: await tx.selectFrom('api_key').selectAll().orderBy('id').execute(),
    entitlements: await tx.selectFrom('entitlement').selectAll().orderBy('workspace_id').execute(),
  }));

/** What a call answers, without leaving a trace. */
async function rolledBack(scope: string, call: (tx: Db) => Promise<unknown>): Promise<unknown> {
  const undo = new Error('undo');
  let answer: unknown;
  await db
    .transaction()
    .execute(async (tx) => {
      await sql`select set_config('manifold.workspace', ${scope}, true)`.execute(tx);
      answer = await call(tx).catch((error: unknown) =>
        String(error).includes('row-level security') ? 'refused' : error,
      );
      throw undo;
    })
    .catch((error: unknown) => {
      if (error !== undo) throw error;
    });
  return answer;
}
