import type { WorkspaceId } from '@manifold/contracts';
import { sql } from 'kysely';
import type { Db } from '../store.ts';
import { INSTALLATION } from './seal.ts';
import type { DataKeyRow } from './tables.ts';

/** The root key, made by whoever comes first: only in a scope across workspaces. */
export async function keepRootKey(tx: Db, fresh: () => DataKeyRow): Promise<DataKeyRow> {
  await sql`select pg_advisory_xact_lock(hashtextextended('vault|root', 0))`.execute(tx);
  const found = await tx
    .selectFrom('data_key')
    .selectAll()
    .where('workspace_id', '=', INSTALLATION)
    .where('purpose', '=', 'ROOT')
    .executeTakeFirst();
  if (found !== undefined) return found;
  const row = fresh();
  await tx.insertInto('data_key').values(row).execute();
  return row;
}

/** True when something was sealed before there was a root key: only in a scope across workspaces. */
export async function isSealedAlready(tx: Db): Promise<boolean> {
  const found = await tx.selectFrom('connection').select('id').limit(1).executeTakeFirst();
  return found !== undefined;
}

/** Keys made after a time, of every workspace: only in a scope across workspaces. */
export async function listDataKeys(tx: Db, after: Date): Promise<DataKeyRow[]> {
  return tx
    .selectFrom('data_key')
    .selectAll()
    .where('purpose', '=', 'DATA')
    .where('created_at', '>', after)
    .orderBy('created_at')
    .execute();
}

/** Keys still encrypted by another master key than this: only in a scope across workspaces. */
export async function lockKeysToRewrap(
  tx: Db,
  rewrap: { masterKeyId: string; limit: number },
): Promise<DataKeyRow[]> {
  return tx
    .selectFrom('data_key')
    .selectAll()
    .where('master_key_id', '!=', rewrap.masterKeyId)
    .limit(rewrap.limit)
    .forUpdate()
    .skipLocked()
    .execute();
}

export async function setWrapped(
  tx: Db,
  row: Pick<DataKeyRow, 'workspace_id' | 'id'>,
  wrapping: Pick<DataKeyRow, 'wrapped' | 'master_key_id'>,
): Promise<void> {
  await tx
    .updateTable('data_key')
    .set(wrapping)
    .where('workspace_id', '=', row.workspace_id)
    .where('id', '=', row.id)
    .execute();
}

/** Which master keys any data key needs: only in a scope across workspaces. */
export async function listMasterKeysInUse(tx: Db): Promise<string[]> {
  const rows = await tx.selectFrom('data_key').select('master_key_id').distinct().execute();
  return rows.map(({ master_key_id }) => master_key_id);
}

export async function insertDataKey(tx: Db, row: DataKeyRow): Promise<void> {
  await tx.insertInto('data_key').values(row).execute();
}

/** The key a workspace was given last; undefined while it has its first, derived one. */
export async function findNewestDataKey(
  tx: Db,
  workspaceId: WorkspaceId,
): Promise<DataKeyRow | undefined> {
  return tx
    .selectFrom('data_key')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('purpose', '=', 'DATA')
    .orderBy('created_at', 'desc')
    .limit(1)
    .executeTakeFirst();
}

/** Keys in use whose workspaces may still hold texts of older ones: only across workspaces. */
export async function listKeysToSweep(
  tx: Db,
  due: { activeBefore: Date; triedBefore: Date },
): Promise<DataKeyRow[]> {
  return tx
    .selectFrom('data_key')
    .selectAll()
    .where('purpose', '=', 'DATA')
    .where('swept_at', 'is', null)
    .where('active_at', '<=', due.activeBefore)
    .where((eb) => eb.or([eb('tried_at', 'is', null), eb('tried_at', '<=', due.triedBefore)]))
    .orderBy('tried_at', (order) => order.asc().nullsFirst())
    .orderBy('active_at')
    .limit(10)
    .execute();
}

/** Everything of the workspace is sealed with this key, so its earlier keys have nothing left to open. */
export async function setSwept(
  tx: Db,
  { workspace_id, created_at }: Pick<DataKeyRow, 'workspace_id' | 'created_at'>,
  now: Date,
): Promise<void> {
  await tx
    .updateTable('data_key')
    .set({ swept_at: now })
    .where('workspace_id', '=', workspace_id)
    .where('purpose', '=', 'DATA')
    .where('created_at', '<=', created_at)
    .execute();
}

/** Something of the workspace could not be sealed anew with this key. */
export async function setTried(
  tx: Db,
  { workspace_id, id }: Pick<DataKeyRow, 'workspace_id' | 'id'>,
  now: Date,
): Promise<void> {
  await tx
    .updateTable('data_key')
    .set({ tried_at: now })
    .where('workspace_id', '=', workspace_id)
    .where('id', '=', id)
    .execute();
}

/** One change of a workspace's keys at a time over all replicas, until the transaction ends. */
export async function lockDataKeys(tx: Db, workspaceId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`sweep|${workspaceId}`}, 0))`.execute(
    tx,
  );
}

/** As `lockDataKeys`, but false instead of waiting when another replica holds it. */
export async function tryLockSweep(tx: Db, workspaceId: string): Promise<boolean> {
  const { rows } = await sql<{ locked: boolean }>`select pg_try_advisory_xact_lock(
    hashtextextended(${`sweep|${workspaceId}`}, 0)) as locked`.execute(tx);
  return rows[0]?.locked === true;
}

export interface SealedColumn {
  table: string;
  column: string;
}

/** Texts of one column that the workspace sealed with another key. */
export async function listSealedOtherwise(
  tx: Db,
  { table, column }: SealedColumn,
  wanted: { workspaceId: string; keyId: string; after: string; limit: number },
): Promise<{ id: string; sealed: string }[]> {
  const { rows } = await sql<{ id: string; sealed: string }>`
    select id, ${sql.ref(column)} as sealed from ${sql.table(table)}
    where workspace_id = ${wanted.workspaceId} and ${sql.ref(column)} like 'v1.%'
      and ${sql.ref(column)} not like ${`v1.${wanted.keyId}.%`} and id > ${wanted.after}
    order by id limit ${wanted.limit}`.execute(tx);
  return rows;
}

/** Puts a text sealed anew in the place of the one it was made from, unless that changed meanwhile. */
export async function replaceSealed(
  tx: Db,
  { table, column }: SealedColumn,
  change: { workspaceId: string; id: string; from: string; to: string },
): Promise<void> {
  await sql`update ${sql.table(table)} set ${sql.ref(column)} = ${change.to}
    where workspace_id = ${change.workspaceId} and id = ${change.id}
      and ${sql.ref(column)} = ${change.from}`.execute(tx);
}
