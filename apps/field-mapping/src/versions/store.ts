import type { FieldMappingId, WorkspaceId } from '@manifold/contracts';
import { type SqlBool, sql } from 'kysely';
import type { Db, MappingVersion, NewMappingVersion } from '../store.ts';

export async function insertVersion(tx: Db, version: NewMappingVersion): Promise<void> {
  await tx.insertInto('mapping_version').values(version).execute();
}

/** One version, or the newest. */
export async function findVersion(
  tx: Db,
  workspaceId: WorkspaceId,
  of: { mappingId: FieldMappingId; version?: number | undefined },
): Promise<MappingVersion | undefined> {
  const versions = tx
    .selectFrom('mapping_version')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('mapping_id', '=', of.mappingId)
    .orderBy('version', 'desc')
    .limit(1);
  return (
    of.version === undefined ? versions : versions.where('version', '=', of.version)
  ).executeTakeFirst();
}

const MAX_VERSIONS = 100;

/** The newest 100 versions of each mapping, newest first, without their sources. */
export async function listVersions(
  tx: Db,
  workspaceId: WorkspaceId,
  mappingIds: readonly FieldMappingId[],
): Promise<Omit<MappingVersion, 'source'>[]> {
  return tx
    .selectFrom('mapping_version as one')
    .innerJoin('field_mapping as mapping', (join) =>
      join
        .onRef('mapping.workspace_id', '=', 'one.workspace_id')
        .onRef('mapping.id', '=', 'one.mapping_id'),
    )
    .select(['one.workspace_id', 'mapping_id', 'one.version', 'hash', 'published_at'])
    .where('one.workspace_id', '=', workspaceId)
    .where('mapping_id', 'in', mappingIds)
    .where(sql<SqlBool>`one.version > mapping.version - ${sql.lit(MAX_VERSIONS)}`)
    .orderBy('one.version', 'desc')
    .execute();
}

/** The newest version of each mapping, with its source. */
export async function listNewestVersions(
  tx: Db,
  workspaceId: WorkspaceId,
  mappingIds: readonly FieldMappingId[],
): Promise<MappingVersion[]> {
  if (mappingIds.length === 0) return [];
  return tx
    .selectFrom('mapping_version')
    .distinctOn('mapping_id')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('mapping_id', 'in', mappingIds)
    .orderBy('mapping_id')
    .orderBy('version', 'desc')
    .execute();
}
