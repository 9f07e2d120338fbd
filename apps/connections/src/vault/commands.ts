import { randomBytes } from 'node:crypto';
import type { WorkspaceId } from '@manifold/contracts';
import { acrossWorkspaces, withWorkspace } from '@manifold/database';
import type { Logger } from 'pino';
import type { Db, Tx } from '../store.ts';
import type { Keyring } from './keyring.ts';
import { activeFrom, triedBefore } from './rules.ts';
import { sealedColumns } from './sealed-columns.ts';
import type { Place, Vault } from './seal.ts';
import {
  findNewestDataKey,
  insertDataKey,
  listKeysToSweep,
  listMasterKeysInUse,
  listSealedOtherwise,
  lockDataKeys,
  lockKeysToRewrap,
  replaceSealed,
  type SealedColumn,
  setSwept,
  setTried,
  setWrapped,
  tryLockSweep,
} from './store.ts';
import type { DataKeyRow } from './tables.ts';
import { type MasterKey, unwrapKey, wrapKey } from './wrapping.ts';

export interface VaultDeps {
  db: Db;
  vault: Vault;
  keyring: Keyring;
  now: () => Date;
  log: Logger;
}

/** A new data key for a workspace; while an earlier change is under way, that one. */
export async function rotateDataKey(
  tx: Tx,
  workspaceId: WorkspaceId,
  { keyring, now }: { keyring: Keyring; now: Date },
): Promise<DataKeyRow> {
  await lockDataKeys(tx, workspaceId);
  const newest = await findNewestDataKey(tx, workspaceId);
  if (newest?.swept_at === null) return newest;
  const [master] = keyring.masterKeys;
  const id = randomBytes(4).toString('hex');
  const named = { workspace_id: workspaceId, id, purpose: 'DATA' as const };
  const row = {
    ...named,
    wrapped: wrapKey(master, named, randomBytes(32)),
    master_key_id: master.id,
    active_at: activeFrom(now),
    ...{ swept_at: null, tried_at: null },
    created_at: now,
  };
  await insertDataKey(tx, row);
  return row;
}

const REWRAP_BATCH = 100;

/** Encrypts data keys of older master keys with the newest; returns how many there were. */
export async function rewrapKeys({ db, keyring, log }: VaultDeps): Promise<number> {
  const [newest] = keyring.masterKeys;
  const count = await acrossWorkspaces(db, async (tx) => {
    const rows = await lockKeysToRewrap(tx, { masterKeyId: newest.id, limit: REWRAP_BATCH });
    let rewrapped = 0;
    for (const row of rows) {
      const master = keyring.masterKeys.find(({ id }) => id === row.master_key_id);
      if (master === undefined) continue;
      const key = open(master, row);
      if (key === undefined) continue;
      const wrapped = wrapKey(newest, row, key);
      await setWrapped(tx, row, { wrapped, master_key_id: newest.id });
      rewrapped += 1;
    }
    return rewrapped;
  });
  if (count > 0) {
    const unused = await listUnusedMasterKeys({ db, keyring });
    log.info(
      { count, masterKey: newest.id, unused },
      'data keys encrypted with the newest master key',
    );
  }
  return count;
}

/** Undefined when it does not open, which the keyring has logged. */
function open(master: MasterKey, row: DataKeyRow): Buffer | undefined {
  try {
    return unwrapKey(master, row, row.wrapped);
  } catch {
    return undefined;
  }
}

/** Master keys that nothing needs any more: they can be taken out of MASTER_KEYS. */
export async function listUnusedMasterKeys({
  db,
  keyring,
}: Pick<VaultDeps, 'db' | 'keyring'>): Promise<string[]> {
  const used = new Set(await acrossWorkspaces(db, listMasterKeysInUse));
  const [, ...older] = keyring.masterKeys;
  return older.map(({ id }) => id).filter((id) => !used.has(id));
}

const SWEEP_BATCH = 100;

/** Seals anew what older data keys sealed, a batch of each column; returns how many texts there were. */
export async function sweepSealed(deps: VaultDeps): Promise<number> {
  const now = deps.now();
  const due = { activeBefore: activeFrom(now, -2), triedBefore: triedBefore(now) };
  const keys = await acrossWorkspaces(deps.db, (tx) => listKeysToSweep(tx, due));
  let count = 0;
  for (const key of keys) {
    count += await sweepWorkspace(deps, key).catch(async (error: unknown) => {
      deps.log.error({ err: error, workspaceId: key.workspace_id }, 'not all was sealed anew');
      await acrossWorkspaces(deps.db, (tx) => setTried(tx, key, now));
      return 0;
    });
  }
  return count;
}

/** Old and new are readable meanwhile; a text that changes under the sweep is left to the next one. */
async function sweepWorkspace(deps: VaultDeps, key: DataKeyRow): Promise<number> {
  const { vault, keyring, log } = deps;
  const { workspace_id: workspaceId } = key;
  // this replica has not heard of the key yet
  if (keyring.current(workspaceId)?.id !== key.id) return 0;
  return acrossWorkspaces(deps.db, async (tx) => {
    if (!(await tryLockSweep(tx, workspaceId))) return 0;
    const sealed = { count: 0, closed: 0 };
    for (const place of sealedColumns) {
      const { count, closed } = await sealColumn(tx, vault, { place, key });
      sealed.count += count;
      sealed.closed += closed;
    }
    if (sealed.count > 0) return sealed.count;
    if (sealed.closed > 0) {
      log.error({ workspaceId, texts: sealed.closed }, 'sealed texts that do not open were left');
      await setTried(tx, key, deps.now());
      return 0;
    }
    await setSwept(tx, key, deps.now());
    log.info({ dataKey: key.id, workspaceId }, 'everything is sealed with the new data key');
    return 0;
  });
}

/** A batch of one column. What does not open is passed over, and counted. */
async function sealColumn(
  tx: Tx,
  vault: Vault,
  { place, key }: { place: SealedColumn; key: DataKeyRow },
): Promise<{ count: number; closed: number }> {
  const { workspace_id: workspaceId, id: keyId } = key;
  let [count, closed, after] = [0, 0, ''];
  while (count === 0) {
    const wanted = { workspaceId, keyId, after, limit: SWEEP_BATCH };
    const texts = await listSealedOtherwise(tx, place, wanted);
    for (const { id, sealed } of texts) {
      const to = sealAnew(vault, { ...place, workspaceId, id }, sealed);
      if (to === undefined) closed += 1;
      else {
        await replaceSealed(tx, place, { workspaceId, id, from: sealed, to });
        count += 1;
      }
    }
    if (texts.length < SWEEP_BATCH) break;
    after = texts.at(-1)?.id ?? '';
  }
  return { count, closed };
}

function sealAnew(vault: Vault, place: Place, sealed: string): string | undefined {
  try {
    return vault.seal(place, vault.unseal(place, sealed));
  } catch {
    return undefined;
  }
}

/** How a workspace's data is encrypted now, for its owner. */
export async function describeEncryption(
  { db, keyring }: Pick<VaultDeps, 'db' | 'keyring'>,
  workspaceId: WorkspaceId,
) {
  const newest = await withWorkspace(db, workspaceId, (tx) => findNewestDataKey(tx, workspaceId));
  return {
    keyId: keyring.current(workspaceId)?.id ?? keyring.rootId,
    rotatedAt: newest?.created_at ?? null,
    isComplete: newest === undefined || newest.swept_at !== null,
    masterKeyId: keyring.masterKeys[0].id,
  };
}
