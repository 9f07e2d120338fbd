import { randomBytes } from 'node:crypto';
import { acrossWorkspaces } from '@manifold/database';
import type { Logger } from 'pino';
import type { Db } from '../store.ts';
import { createVault, type DataKey, idOfRoot, INSTALLATION, type Vault } from './seal.ts';
import { isSealedAlready, keepRootKey, listDataKeys } from './store.ts';
import type { DataKeyRow } from './tables.ts';
import { type MasterKey, masterKeyOf, unwrapKey, wrapKey } from './wrapping.ts';

/** Later than this after it was made, no key goes unnoticed, however far clocks are apart. */
const OVERLAP_MS = 10 * 60_000;

/** The keys of this process: the operator's, and the data keys they open. */
export interface Keyring {
  /** Newest first: the first one encrypts data keys, all of them open data keys. */
  masterKeys: readonly [MasterKey, ...MasterKey[]];
  rootId: string;
  /** The key a workspace seals with now; undefined while that is still its first. */
  current: (workspaceId: string) => DataKey | undefined;
  /** Learns of keys that were made since. */
  refresh: () => Promise<void>;
}

export interface KeyringDeps {
  db: Db;
  now: () => Date;
  log: Logger;
}

/** The vault of this installation; fails when no master key opens what is stored. */
export async function openVault(
  deps: KeyringDeps,
  keys: readonly Buffer[],
): Promise<{ vault: Vault; keyring: Keyring }> {
  const [newest, ...older] = keys.map(masterKeyOf);
  if (newest === undefined) throw new RangeError('there is no master key');
  const masterKeys = [newest, ...older] as const;
  const rootKey = await openRootKey(deps, masterKeys);
  const known = new Map<string, DataKey & { row: DataKeyRow }>();
  const ofWorkspace = new Map<string, (DataKey & { row: DataKeyRow })[]>();
  let seenUntil = new Date(0);

  const refresh = async () => {
    const rows = await acrossWorkspaces(deps.db, (tx) =>
      listDataKeys(tx, new Date(seenUntil.getTime() - OVERLAP_MS)),
    );
    for (const row of rows.filter(({ id }) => !known.has(id))) {
      const key = openKey(deps, masterKeys, row);
      if (key === undefined) continue;
      const entry = { id: row.id, key, row };
      known.set(row.id, entry);
      ofWorkspace.set(row.workspace_id, [entry, ...(ofWorkspace.get(row.workspace_id) ?? [])]);
      if (row.created_at > seenUntil) seenUntil = row.created_at;
    }
  };
  const current = (workspaceId: string) =>
    ofWorkspace.get(workspaceId)?.find(({ row }) => row.active_at <= deps.now());
  const keyring = { masterKeys, rootId: idOfRoot(rootKey), current, refresh };
  await refresh();
  const find = (id: string) => known.get(id)?.key;
  return { vault: createVault(rootKey, { current, find }), keyring };
}

/** The root key is also the proof that a master key is the right one: without it every token would seem lost. */
async function openRootKey(
  { db, now }: KeyringDeps,
  masterKeys: readonly [MasterKey, ...MasterKey[]],
): Promise<Buffer> {
  const [newest] = masterKeys;
  const row = await acrossWorkspaces(db, async (tx) => {
    // an installation from before there were data keys sealed with its master key itself
    const isOlder = await isSealedAlready(tx);
    return keepRootKey(tx, () => {
      const key = isOlder ? (masterKeys.at(-1) ?? newest).key : randomBytes(32);
      const named = { workspace_id: INSTALLATION, id: idOfRoot(key), purpose: 'ROOT' as const };
      return {
        ...named,
        wrapped: wrapKey(newest, named, key),
        master_key_id: newest.id,
        active_at: now(),
        swept_at: now(),
        tried_at: null,
        created_at: now(),
      };
    });
  });
  const master = masterKeys.find(({ id }) => id === row.master_key_id);
  if (master !== undefined) return unwrapKey(master, row, row.wrapped);
  throw new Error(
    `MASTER_KEY is not the key that the stored tokens were sealed with: the key ${row.master_key_id} is needed`,
  );
}

function openKey(
  { log }: KeyringDeps,
  masterKeys: Keyring['masterKeys'],
  row: DataKeyRow,
): Buffer | undefined {
  const master = masterKeys.find(({ id }) => id === row.master_key_id);
  if (master !== undefined) return tryUnwrap(master, row, log);
  log.error(
    { dataKey: row.id, masterKey: row.master_key_id },
    'a data key needs a master key that is not among MASTER_KEYS',
  );
  return undefined;
}

/** One key that does not open must not keep the others from being known. */
function tryUnwrap(master: MasterKey, row: DataKeyRow, log: Logger): Buffer | undefined {
  try {
    return unwrapKey(master, row, row.wrapped);
  } catch {
    log.error({ dataKey: row.id }, 'a data key does not open with its master key');
    return undefined;
  }
}
