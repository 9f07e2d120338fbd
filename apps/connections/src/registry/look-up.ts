import type { ConnectionId, IdentityKey, PipedriveObject, WorkspaceId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import type { Failure, PipedriveClient } from '@manifold/pipedrive';
import type { PipedriveAccess } from '../accounts/calling/client.ts';
import { findConnection } from '../accounts/store.ts';
import type { Db } from '../store.ts';
import type { Vault } from '../vault/seal.ts';
import { catchUp } from './catch-up.ts';
import { hashOfKey } from './entering.ts';
import { listRecordsWithKey } from './keys/store.ts';
import { coversKey, isFreshEnough, nameOfKey, seesAsMuch, sightOf } from './rules.ts';
import { findRegistry } from './store.ts';
import type { RecordRegistry } from './tables.ts';

/** How old the newest read of changes may be for somebody who asks now. */
const INDEX_FRESH_MS = 5_000;
/** Enough to see that there are several. */
const MOST_RECORDS = 20;

export interface LookUpDeps {
  db: Db;
  vault: Vault;
  now: () => Date;
  /** To read with the credential the index is kept with, which can see more than the caller's. */
  clientFor?: PipedriveAccess['clientFor'];
  /** Absent: 5 s. */
  indexFreshMs?: number;
}

/** Which records have an identity key, as the certified index knows it. */
export type KnownRecords =
  /** No index covers this object and key: search instead. */
  | { outcome: 'not_indexed' }
  /** The index covers it, but could not be brought up to date. */
  | { outcome: 'failed'; failure: Failure }
  /** Every living record that had the key when the index was last brought up to date. */
  | { outcome: 'known'; pipedriveIds: string[] };

/**
 * The records with this key. Brings the index up to date first, with one list read shared by
 * everybody who waits for the same object.
 */
export async function lookUp(
  deps: LookUpDeps,
  wanted: {
    workspaceId: WorkspaceId;
    connectionId: ConnectionId;
    companyId: string;
    object: PipedriveObject;
    key: IdentityKey;
  },
  client: PipedriveClient,
): Promise<KnownRecords> {
  const { workspaceId, companyId, object, key } = wanted;
  const name = nameOfKey(key);
  if (name === undefined) return { outcome: 'not_indexed' };
  const place = { workspace_id: workspaceId, company_id: companyId, object };
  const scoped = <Result>(work: (tx: Db) => Promise<Result>) =>
    withWorkspace(deps.db, workspaceId, work);
  const registry = await scoped((tx) => findRegistry(tx, place));
  if (!coversKey(registry, name)) return { outcome: 'not_indexed' };
  const reader = readerOf(deps, wanted, { connectionId: registry.connection_id, client });
  if (reader === undefined) return { outcome: 'not_indexed' };
  const needed = new Date(deps.now().getTime() - (deps.indexFreshMs ?? INDEX_FRESH_MS));
  if (!isFreshEnough(registry, needed)) {
    if (!(await scoped((tx) => mayRead(tx, registry)))) {
      const failure = { outcome: 'unavailable', cause: 'index_reader_sees_less' } as const;
      return { outcome: 'failed', failure };
    }
    const failure = await catchUp(deps, { place, needed }, reader);
    if (failure !== undefined) return { outcome: 'failed', failure };
  }
  const keyHash = hashOfKey(deps.vault, place, key);
  return scoped(async (tx) => {
    const pipedriveIds = await listRecordsWithKey(tx, place, { keyHash, limit: MOST_RECORDS });
    // after the records: an index is marked before anything of it goes
    const isCovered = coversKey(await findRegistry(tx, place), name);
    return isCovered ? { outcome: 'known', pipedriveIds } : { outcome: 'not_indexed' };
  });
}

/** A user can lose rights after the index was built. */
async function mayRead(tx: Db, { connection_id, sight }: RecordRegistry): Promise<boolean> {
  const connection = await findConnection(tx, connection_id);
  return connection !== undefined && seesAsMuch(sightOf(connection), sight);
}

/** A personal credential does not see everything, so the index is read with its own. */
function readerOf(
  { clientFor }: LookUpDeps,
  { workspaceId, connectionId }: { workspaceId: WorkspaceId; connectionId: ConnectionId },
  index: { connectionId: ConnectionId; client: PipedriveClient },
): (() => Promise<PipedriveClient>) | undefined {
  if (index.connectionId === connectionId) return () => Promise.resolve(index.client);
  if (clientFor === undefined) return undefined;
  return () => clientFor(workspaceId, index.connectionId, { lane: 'event', feature: 'writes' });
}
