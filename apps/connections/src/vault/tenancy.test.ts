import { WorkspaceId } from '@manifold/contracts';
import { acrossWorkspaces, newId, withWorkspace } from '@manifold/database';
import { createTestDatabase } from '@manifold/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectionRow } from '../../test/rows.ts';
import { insertConnection } from '../accounts/store.ts';
import { migrations } from '../migrations/index.ts';
import type { Db, Tables } from '../store.ts';
import * as keys from './store.ts';
import type { DataKeyRow } from './tables.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const now = new Date('2026-03-01T10:00:00Z');
const a = newId('ws', WorkspaceId);
const b = newId('ws', WorkspaceId);
const connection = connectionRow(a, { webhook_path: 'v1.00000000.n.c.t' });
const key: DataKeyRow = {
  workspace_id: a,
  id: 'aaaaaaaa',
  purpose: 'DATA',
  wrapped: 'w',
  master_key_id: 'm',
  active_at: now,
  swept_at: null,
  tried_at: null,
  created_at: now,
};
const place = { table: 'connection', column: 'webhook_path' };
const change = { workspaceId: a, id: connection.id, from: connection.webhook_path, to: 'v1.b' };

type Call = (tx: Db) => Promise<unknown>;

/** Called for the rows of A. */
const calls: Record<string, Call> = {
  isSealedAlready: (tx) => keys.isSealedAlready(tx),
  listDataKeys: (tx) => keys.listDataKeys(tx, new Date(0)),
  lockKeysToRewrap: (tx) => keys.lockKeysToRewrap(tx, { masterKeyId: 'n', limit: 5 }),
  setWrapped: (tx) => keys.setWrapped(tx, key, { wrapped: 'x', master_key_id: 'n' }),
  listMasterKeysInUse: (tx) => keys.listMasterKeysInUse(tx),
  insertDataKey: (tx) => keys.insertDataKey(tx, { ...key, id: 'bbbbbbbb' }),
  findNewestDataKey: (tx) => keys.findNewestDataKey(tx, a),
  listKeysToSweep: (tx) => keys.listKeysToSweep(tx, { activeBefore: now, triedBefore: now }),
  setTried: (tx) => keys.setTried(tx, key, now),
  setSwept: (tx) => keys.setSwept(tx, key, now),
  listSealedOtherwise: (tx) =>
    keys.listSealedOtherwise(tx, place, { workspaceId: a, keyId: key.id, after: '', limit: 5 }),
  replaceSealed: (tx) => keys.replaceSealed(tx, place, change),
};
/** They lock a name and touch no row. */
const locks = ['lockDataKeys', 'tryLockSweep'];

const dump = async (tx: Db) =>
  JSON.stringify([
    await tx.selectFrom('connection').selectAll().execute(),
    await tx.selectFrom('data_key').selectAll().orderBy('id').execute(),
  ]);

async function observe(scope: WorkspaceId, call: Call) {
  let didSomething = false;
  const undo = new Error('undo');
  const thrown = await withWorkspace(db, scope, async (tx) => {
    const earlier = await dump(tx);
    const result = await call(tx);
    const gave = Array.isArray(result) ? result.length > 0 : Boolean(result);
    didSomething = gave || (await dump(tx)) !== earlier;
    throw undo;
  }).catch((error: unknown) => error);
  return thrown === undo ? didSomething : 'refused';
}

beforeAll(() =>
  acrossWorkspaces(db, async (tx) => {
    await insertConnection(tx, connection);
    await keys.insertDataKey(tx, key);
  }),
);
afterAll(drop);

test.each(Object.entries(calls))('%s reaches keys of its own workspace only', async (_, call) => {
  expect(await observe(a, call)).toBe(true);
  expect([false, 'refused']).toContain(await observe(b, call));
});

test('the root key is seen and made across workspaces alone', async () => {
  const fresh = () => ({ ...key, workspace_id: 'installation', purpose: 'ROOT' as const });
  expect(await observe(a, (tx) => keys.keepRootKey(tx, fresh))).toBe('refused');
  const root = { ...fresh(), id: 'cccccccc' };
  expect(await acrossWorkspaces(db, (tx) => keys.keepRootKey(tx, () => root))).toEqual(root);
  expect(await withWorkspace(db, a, (tx) => keys.listMasterKeysInUse(tx))).toEqual(['m']);
});

test('every function of the store is called above', () => {
  const called = [...Object.keys(calls), ...locks, 'keepRootKey'];
  expect(called.toSorted()).toEqual(Object.keys(keys).toSorted());
});
