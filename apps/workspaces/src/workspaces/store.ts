import type { EntitlementName, WorkspaceId } from '@manifold/contracts';
import type { Insertable } from 'kysely';
import type { Db, Tables, Workspace } from '../store.ts';

export async function findWorkspace(
  tx: Db,
  workspaceId: WorkspaceId,
): Promise<Workspace | undefined> {
  return tx
    .selectFrom('workspace')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .executeTakeFirst();
}

/** False when the workspace was there before. */
export async function insertWorkspace(
  tx: Db,
  workspace: Insertable<Tables['workspace']>,
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('workspace')
    .values(workspace)
    .onConflict((conflict) => conflict.column('workspace_id').doNothing())
    .executeTakeFirstOrThrow();
  return numInsertedOrUpdatedRows === 1n;
}

/** The features a workspace may not use. */
export async function listSwitchedOff(
  tx: Db,
  workspaceId: WorkspaceId,
): Promise<EntitlementName[]> {
  const rows = await tx
    .selectFrom('entitlement')
    .select('name')
    .where('workspace_id', '=', workspaceId)
    .where('enabled', '=', false)
    .execute();
  return rows.map(({ name }) => name);
}

export async function setEntitlementRow(
  tx: Db,
  row: Insertable<Tables['entitlement']>,
): Promise<void> {
  await tx
    .insertInto('entitlement')
    .values(row)
    .onConflict((conflict) =>
      conflict
        .columns(['workspace_id', 'name'])
        .doUpdateSet({ enabled: row.enabled, changed_at: row.changed_at }),
    )
    .execute();
}
