import type { MappingPurpose, WorkspaceId } from '@manifold/contracts';
import type { Db, FieldMapping } from '../store.ts';

const MOST = 50;

/** The rows of the mappings of one purpose changed last: what people chose. */
export async function listRecentRows(
  tx: Db,
  workspaceId: WorkspaceId,
  purpose: MappingPurpose,
): Promise<Pick<FieldMapping, 'connection_id' | 'rows'>[]> {
  return tx
    .selectFrom('field_mapping')
    .select(['connection_id', 'rows'])
    .where('workspace_id', '=', workspaceId)
    .where('purpose', '=', purpose)
    .orderBy('updated_at', 'desc')
    .orderBy('id', 'desc')
    .limit(MOST)
    .execute();
}
