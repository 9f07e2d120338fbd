import type { WorkspaceId } from '@manifold/contracts';
import { ofThisWorkspace } from '@manifold/database';
import type { Db } from '../../store.ts';
import type { LearnedCap } from './rules.ts';

/** Takes the making of fields in a company; false while somebody else has it. */
export async function leaseCreation(
  tx: Db,
  of: { workspaceId: WorkspaceId; companyId: string },
  lease: { owner: string; now: Date; until: Date },
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('field_creation')
    .values({
      workspace_id: of.workspaceId,
      company_id: of.companyId,
      lease_until: lease.until,
      lease_owner: lease.owner,
      ...{ full_at: null, learned_at: null },
    })
    .onConflict((conflict) =>
      conflict
        .columns(['workspace_id', 'company_id'])
        .doUpdateSet({ lease_until: lease.until, lease_owner: lease.owner })
        .where((eb) =>
          eb.or([
            eb('field_creation.lease_until', 'is', null),
            eb('field_creation.lease_until', '<=', lease.now),
          ]),
        ),
    )
    .executeTakeFirst();
  return (numInsertedOrUpdatedRows ?? 0n) > 0n;
}

/** Moves the end of a lease; false when it ran out and somebody else has it. Null ends it. */
export async function extendCreation(
  tx: Db,
  companyId: string,
  { owner, until }: { owner: string; until: Date | null },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('field_creation')
    .set({ lease_until: until })
    .where(ofThisWorkspace)
    .where('company_id', '=', companyId)
    .where('lease_owner', '=', owner)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

export async function findLearnedCap(tx: Db, companyId: string): Promise<LearnedCap | undefined> {
  const row = await tx
    .selectFrom('field_creation')
    .select(['full_at', 'learned_at'])
    .where(ofThisWorkspace)
    .where('company_id', '=', companyId)
    .executeTakeFirst();
  if (!row || row.full_at === null || row.learned_at === null) return undefined;
  return { fields: row.full_at, learnedAt: row.learned_at };
}

export async function setLearnedCap(
  tx: Db,
  companyId: string,
  { fields, learnedAt }: LearnedCap,
): Promise<void> {
  await tx
    .updateTable('field_creation')
    .set({ full_at: fields, learned_at: learnedAt })
    .where(ofThisWorkspace)
    .where('company_id', '=', companyId)
    .execute();
}
