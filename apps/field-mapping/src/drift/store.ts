import type { FieldMappingId, WorkspaceId } from '@manifold/contracts';
import type { Db, MappingDrift } from '../store.ts';

/** What has drifted of some mappings, oldest first. */
export async function listDrift(
  tx: Db,
  workspaceId: WorkspaceId,
  mappingIds: readonly FieldMappingId[],
): Promise<MappingDrift[]> {
  if (mappingIds.length === 0) return [];
  return tx
    .selectFrom('mapping_drift')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('mapping_id', 'in', mappingIds)
    .orderBy('since')
    .orderBy('row_id')
    .orderBy('change')
    .execute();
}

export async function deleteDrift(
  tx: Db,
  workspaceId: WorkspaceId,
  mappingId: FieldMappingId,
): Promise<void> {
  await tx
    .deleteFrom('mapping_drift')
    .where('workspace_id', '=', workspaceId)
    .where('mapping_id', '=', mappingId)
    .execute();
}

export async function insertDrift(tx: Db, drift: readonly MappingDrift[]): Promise<void> {
  if (drift.length === 0) return;
  await tx
    .insertInto('mapping_drift')
    .values([...drift])
    .execute();
}
