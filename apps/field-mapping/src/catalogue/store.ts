import type { ConnectionId, PipedriveObject, WorkspaceId } from '@manifold/contracts';
import type { Db, FieldCatalogue, NewFieldCatalogue } from '../store.ts';

/** What is known of some objects of some connections; one without an entry was never read. */
export async function listCatalogues(
  tx: Db,
  workspaceId: WorkspaceId,
  of: { connectionIds: readonly ConnectionId[]; objects: readonly PipedriveObject[] },
): Promise<FieldCatalogue[]> {
  if (of.connectionIds.length === 0 || of.objects.length === 0) return [];
  return tx
    .selectFrom('field_catalogue')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('connection_id', 'in', of.connectionIds)
    .where('object', 'in', of.objects)
    .execute();
}

/** Keeps the newest revision: an answer that comes late never replaces a newer one. */
export async function insertCatalogue(tx: Db, catalogue: NewFieldCatalogue): Promise<void> {
  await tx
    .insertInto('field_catalogue')
    .values(catalogue)
    .onConflict((conflict) =>
      conflict
        .columns(['workspace_id', 'connection_id', 'object'])
        .doUpdateSet((row) => ({
          revision: row.ref('excluded.revision'),
          fields: row.ref('excluded.fields'),
          read_at: row.ref('excluded.read_at'),
        }))
        .whereRef('field_catalogue.revision', '<=', 'excluded.revision'),
    )
    .execute();
}
