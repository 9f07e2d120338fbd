import { randomBytes } from 'node:crypto';
import { WebhookReceiptId, WorkspaceId } from '@manifold/contracts';
import { acrossWorkspaces, newId, withWorkspace } from '@manifold/database';
import { captureLog, createTestDatabase } from '@manifold/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connectionRow } from '../../test/rows.ts';
import { openSecret, sealSecret } from '../accounts/tokens/credential.ts';
import { findConnection, insertConnection } from '../accounts/store.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';
import { insertReceipt, listReceipts } from '../webhooks/store.ts';
import {
  describeEncryption,
  listUnusedMasterKeys,
  rewrapKeys,
  rotateDataKey,
  sweepSealed,
} from './commands.ts';
import { openVault } from './keyring.ts';
import { createVault, keyIdOf } from './seal.ts';

const { log, lines } = captureLog();
const MINUTE_MS = 60_000;
let database: Awaited<ReturnType<typeof createTestDatabase<Tables>>>;
let skewMs = 0;
const now = () => new Date(Date.now() + skewMs);
const [first, second] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];

beforeEach(async () => {
  skewMs = 0;
  database = await createTestDatabase<Tables>(migrations);
});
afterEach(() => database.drop());

/** One replica of the service as far as keys go. */
async function start(...masterKeys: Buffer[]) {
  const { db } = database;
  return { db, now, log, ...(await openVault({ db, now, log }, masterKeys)) };
}
type Replica = Awaited<ReturnType<typeof start>>;

/** A connection and a webhook of a fresh workspace, sealed by a replica. */
async function keepSecrets({ db, vault }: Replica, secret = 'canary-path') {
  const workspaceId = newId('ws', WorkspaceId);
  const row = connectionRow(workspaceId);
  const webhook_path = sealSecret(vault, row, { column: 'webhook_path', secret });
  const webhook_password = sealSecret(vault, row, { column: 'webhook_password', secret });
  const receiptId = newId('wh', WebhookReceiptId);
  const place = { table: 'webhook_receipt', workspaceId, id: receiptId, column: 'body' };
  await withWorkspace(db, workspaceId, async (tx) => {
    await insertConnection(tx, { ...row, webhook_path, webhook_password });
    await insertReceipt(tx, {
      workspace_id: workspaceId,
      id: receiptId,
      connection_id: row.id,
      body: vault.seal(place, secret),
      received_at: now(),
    });
  });
  const read = async (by: Replica) =>
    withWorkspace(db, workspaceId, async (tx) => {
      const kept = await findConnection(tx, row.id);
      const [receipt] = await listReceipts(tx, workspaceId, [receiptId]);
      const sealed = [kept?.webhook_path ?? '', receipt?.body ?? ''];
      const path = kept && openSecret(by.vault, kept, 'webhook_path');
      return { keys: sealed.map(keyIdOf), opened: [path, by.vault.unseal(place, sealed[1] ?? '')] };
    });
  return { workspaceId, read };
}

const rotate = ({ db, keyring }: Replica, workspaceId: WorkspaceId) =>
  withWorkspace(db, workspaceId, (tx) => rotateDataKey(tx, workspaceId, { keyring, now: now() }));

test('replicas that start at once have the same keys', async () => {
  const replicas = await Promise.all([start(first), start(first), start(first)]);
  const hashes = replicas.map(({ vault }) => vault.keyedHash('identity|ws_a', 'ada@example.com'));
  expect(new Set(hashes).size).toBe(1);
});

test('what was sealed with one master key opens when another was put in front of it, and hashes stay', async () => {
  const before = await start(first);
  const kept = await keepSecrets(before);
  const hash = before.vault.keyedHash('identity|ws_a', 'ada@example.com');
  const after = await start(second, first);
  expect(await kept.read(after)).toMatchObject({ opened: ['canary-path', 'canary-path'] });
  expect(await describeEncryption(after, kept.workspaceId)).toMatchObject({
    masterKeyId: after.keyring.masterKeys[0].id,
  });
  expect(await listUnusedMasterKeys(after)).toEqual([]);
  expect(await rewrapKeys(after)).toBe(1);
  expect(await rewrapKeys(after)).toBe(0);
  expect(await listUnusedMasterKeys(after)).toEqual([after.keyring.masterKeys[1]?.id]);
  expect(lines.join('\n')).toContain('data keys encrypted with the newest master key');

  const alone = await start(second);
  expect(await kept.read(alone)).toMatchObject({ opened: ['canary-path', 'canary-path'] });
  expect(alone.vault.keyedHash('identity|ws_a', 'ada@example.com')).toBe(hash);
  await expect(start(first)).rejects.toThrow(/MASTER_KEY is not the key/);
  // one that runs goes on: it holds the keys
  expect(await kept.read(before)).toMatchObject({ opened: ['canary-path', 'canary-path'] });
});

test('a new data key seals once every replica knows it, and what is old is sealed anew while it stays readable', async () => {
  const [one, other] = [await start(first), await start(first)];
  const [kept, bystander] = [await keepSecrets(one), await keepSecrets(one)];
  const old = (await kept.read(one)).keys;
  const { id } = await rotate(one, kept.workspaceId);
  expect((await rotate(other, kept.workspaceId)).id).toBe(id);
  await Promise.all([one.keyring.refresh(), other.keyring.refresh()]);
  expect(one.keyring.current(kept.workspaceId)).toBeUndefined();
  expect(await sweepSealed(one)).toBe(0);

  skewMs = 2 * MINUTE_MS;
  expect(other.keyring.current(kept.workspaceId)?.id).toBe(id);
  expect(await describeEncryption(one, kept.workspaceId)).toMatchObject({ isComplete: false });
  expect(await sweepSealed(other)).toBe(3);
  expect(await sweepSealed(other)).toBe(0);
  const opened = ['canary-path', 'canary-path'];
  expect(await kept.read(one)).toEqual({ keys: [id, id], opened });
  expect(await describeEncryption(one, kept.workspaceId)).toMatchObject({
    keyId: id,
    isComplete: true,
  });
  expect(await bystander.read(one)).toEqual({ keys: old, opened });

  const next = await rotate(one, kept.workspaceId);
  expect(next.id).not.toBe(id);
  const later = await start(second, first);
  expect(await rewrapKeys(later)).toBe(3);
  expect(await kept.read(await start(second))).toEqual({ keys: [id, id], opened });
});

test('a replica that has not heard of a key yet says to try again, and then knows it', async () => {
  const [one, late] = [await start(first), await start(first)];
  const kept = await keepSecrets(one);
  await rotate(one, kept.workspaceId);
  await one.keyring.refresh();
  skewMs = 2 * MINUTE_MS;
  await sweepSealed(one);
  await expect(kept.read(late)).rejects.toMatchObject({ kind: 'unavailable' });
  await late.keyring.refresh();
  expect((await kept.read(late)).opened).toEqual(['canary-path', 'canary-path']);
});

test('a data key opens for the row it was encrypted for and no other', async () => {
  const one = await start(first);
  const [kept, stranger] = [await keepSecrets(one), await keepSecrets(one)];
  const { id } = await rotate(one, kept.workspaceId);
  await acrossWorkspaces(one.db, (tx) =>
    tx
      .updateTable('data_key')
      .set({ workspace_id: stranger.workspaceId })
      .where('id', '=', id)
      .execute(),
  );
  // it counts as unknown, and everything else goes on
  const late = await start(first);
  expect(late.keyring.current(stranger.workspaceId)).toBeUndefined();
  expect((await stranger.read(late)).opened).toEqual(['canary-path', 'canary-path']);
  expect(lines.join('\n')).toContain('a data key does not open');
});

test('an installation from before there were data keys keeps what it sealed', async () => {
  const older = createVault(first);
  const row = connectionRow(newId('ws', WorkspaceId));
  const sealed = { column: 'webhook_path', secret: 'canary-path' } as const;
  await withWorkspace(database.db, row.workspace_id, (tx) =>
    insertConnection(tx, { ...row, webhook_path: sealSecret(older, row, sealed) }),
  );
  const { db, vault } = await start(randomBytes(32), first);
  const kept = await withWorkspace(db, row.workspace_id, (tx) => findConnection(tx, row.id));
  expect(kept && openSecret(vault, kept, 'webhook_path')).toBe('canary-path');
  expect(vault.keyedHash('x', 'y')).toBe(older.keyedHash('x', 'y'));
});

test('a text that does not open is left, and keeps nothing else from being sealed anew', async () => {
  const one = await start(first);
  const kept = await keepSecrets(one);
  await acrossWorkspaces(one.db, (tx) =>
    tx
      .updateTable('connection')
      .set({ webhook_password: 'v1.00000000.n.c.t' })
      .where('workspace_id', '=', kept.workspaceId)
      .execute(),
  );
  const { id } = await rotate(one, kept.workspaceId);
  await one.keyring.refresh();
  skewMs = 2 * MINUTE_MS;
  expect([await sweepSealed(one), await sweepSealed(one)]).toEqual([2, 0]);
  expect((await kept.read(one)).keys).toEqual([id, id]);
  const described = () => describeEncryption(one, kept.workspaceId);
  expect(await described()).toMatchObject({ isComplete: false });
  const texts = () => lines.filter((line) => line.includes('do not open were left')).length;
  const before = texts();
  // it waits its turn behind the others, and is tried again later
  await sweepSealed(one);
  expect(texts()).toBe(before);
  skewMs = 20 * MINUTE_MS;
  await sweepSealed(one);
  expect(texts()).toBe(before + 1);
});
