import type { WorkspaceId } from '@manifold/contracts';
import type { Db } from '../../store.ts';
import { type ApiDay, readDay } from '../store.ts';

/** The last of a company's days before this one, as each of these workspaces has it. */
export async function listLastDays(
  tx: Db,
  companyId: string,
  of: { workspaceIds: readonly WorkspaceId[]; before: string },
): Promise<ApiDay[]> {
  if (of.workspaceIds.length === 0) return [];
  const rows = await tx
    .selectFrom('api_day')
    .selectAll()
    .distinctOn('workspace_id')
    .where('company_id', '=', companyId)
    .where('workspace_id', 'in', of.workspaceIds)
    .where('day', '<', of.before)
    .orderBy('workspace_id')
    .orderBy('day', 'desc')
    .execute();
  return rows.map(readDay);
}
