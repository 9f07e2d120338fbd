import type { WorkspaceId } from '@manifold/contracts';
import { ofThisWorkspace } from '@manifold/database';
import type { Selectable } from 'kysely';
import type { Db } from '../../store.ts';
import type { ChangeTables } from '../tables.ts';

export type StoredWritePolicy = Selectable<ChangeTables['write_policy']>;
export type WritePolicy = Omit<StoredWritePolicy, 'workspace_id' | 'updated_at'>;

export async function findWritePolicy(tx: Db): Promise<StoredWritePolicy | undefined> {
  return tx.selectFrom('write_policy').selectAll().where(ofThisWorkspace).executeTakeFirst();
}

export async function setWritePolicy(
  tx: Db,
  workspaceId: WorkspaceId,
  { policy, now }: { policy: WritePolicy; now: Date },
): Promise<void> {
  const row = { ...policy, updated_at: now };
  await tx
    .insertInto('write_policy')
    .values({ workspace_id: workspaceId, ...row })
    .onConflict((conflict) => conflict.column('workspace_id').doUpdateSet(row))
    .execute();
}
