import type { FieldMappingId, WorkspaceId } from '@manifold/contracts';
import type { Insertable, NotNull } from 'kysely';
import type { Db, MappingCopy, Tables } from '../store.ts';

/** Moves every source of a mapping to a newer version, never back. */
export async function setMappingVersion(
  tx: Db,
  workspaceId: WorkspaceId,
  mapping: { mappingId: FieldMappingId; version: number; now: Date },
): Promise<void> {
  await tx
    .updateTable('data_source')
    .set({ mapping_version: mapping.version, updated_at: mapping.now })
    .where('workspace_id', '=', workspaceId)
    .where('mapping_id', '=', mapping.mappingId)
    .where('mapping_version', '<', mapping.version)
    .execute();
}

export async function isMappingUsed(
  tx: Db,
  workspaceId: WorkspaceId,
  mappingId: FieldMappingId,
): Promise<boolean> {
  const row = await tx
    .selectFrom('data_source')
    .select('id')
    .where('workspace_id', '=', workspaceId)
    .where('mapping_id', '=', mappingId)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

export async function insertMappingCopy(
  tx: Db,
  copy: Insertable<Tables['mapping_copy']>,
): Promise<void> {
  await tx
    .insertInto('mapping_copy')
    .values(copy)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export async function findMappingCopy(
  tx: Db,
  workspaceId: WorkspaceId,
  { mappingId, version }: { mappingId: FieldMappingId; version: number },
): Promise<MappingCopy | undefined> {
  return tx
    .selectFrom('mapping_copy')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('mapping_id', '=', mappingId)
    .where('version', '=', version)
    .executeTakeFirst();
}

/** The mappings the workspace's sources use now, archived ones included: their data stays. */
export async function listMappingsInUse(
  tx: Db,
  workspaceId: WorkspaceId,
): Promise<{ mappingId: FieldMappingId; version: number }[]> {
  return tx
    .selectFrom('data_source')
    .select(['mapping_id as mappingId', 'mapping_version as version'])
    .where('workspace_id', '=', workspaceId)
    .where('mapping_id', 'is not', null)
    .where('mapping_version', 'is not', null)
    .$narrowType<{ mappingId: NotNull; version: NotNull }>()
    .distinct()
    .orderBy('mapping_id')
    .limit(200)
    .execute();
}
