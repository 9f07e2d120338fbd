import type { FieldMappingId, WorkspaceId } from '@manifold/contracts';
import type { Db, MappingCopy, NewMappingCopy } from '../store.ts';

export async function findMappingCopy(
  tx: Db,
  workspaceId: WorkspaceId,
  id: FieldMappingId,
): Promise<MappingCopy | undefined> {
  return tx
    .selectFrom('mapping_copy')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('mapping_id', '=', id)
    .executeTakeFirst();
}

/** Keeps the newest version as it was told last: an older one that comes late changes nothing. */
export async function insertMappingCopy(tx: Db, copy: NewMappingCopy): Promise<void> {
  await tx
    .insertInto('mapping_copy')
    .values(copy)
    .onConflict((conflict) =>
      conflict
        .columns(['workspace_id', 'mapping_id'])
        .doUpdateSet((row) => ({
          version: row.ref('excluded.version'),
          connection_id: row.ref('excluded.connection_id'),
          purpose: row.ref('excluded.purpose'),
          hash: row.ref('excluded.hash'),
          source: row.ref('excluded.source'),
          fetched_at: row.ref('excluded.fetched_at'),
        }))
        .whereRef('mapping_copy.version', '<=', 'excluded.version'),
    )
    .execute();
}
