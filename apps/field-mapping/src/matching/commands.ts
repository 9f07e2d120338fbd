import type { MappingPurpose, WorkspaceId } from '@manifold/contracts';
import { listCatalogues } from '../catalogue/store.ts';
import type { Tx } from '../store.ts';
import { pastChoicesOf } from './past/rules.ts';
import { objectsOf } from './rules.ts';
import type { PastChoice } from './candidates/rules.ts';
import { listRecentRows } from './store.ts';

/** Where the workspace has sent fields in other mappings of this purpose. */
export async function readPastChoices(
  tx: Tx,
  workspaceId: WorkspaceId,
  purpose: MappingPurpose,
): Promise<PastChoice[]> {
  const recent = await listRecentRows(tx, workspaceId, purpose);
  const connectionIds = [...new Set(recent.map((one) => one.connection_id))];
  const objects = objectsOf(purpose);
  const catalogues = await listCatalogues(tx, workspaceId, { connectionIds, objects });
  return recent.flatMap(({ connection_id, rows }) => {
    const its = catalogues.filter((catalogue) => catalogue.connection_id === connection_id);
    return pastChoicesOf(
      rows,
      its.flatMap(({ fields }) => fields),
    );
  });
}
