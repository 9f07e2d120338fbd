import type { Db } from '../../store.ts';
import type { SwitchedOff } from '../tables.ts';

/** Remembers that a connection its owner removed had been switched off by somebody else. */
export async function putSwitchedOff(tx: Db, switchedOff: SwitchedOff): Promise<void> {
  const { disabled_by, removed_at } = switchedOff;
  await tx
    .insertInto('switched_off')
    .values(switchedOff)
    .onConflict((conflict) =>
      conflict
        .columns(['workspace_id', 'company_id', 'pipedrive_user_id', 'user_id'])
        .doUpdateSet({ disabled_by, removed_at }),
    )
    .execute();
}

/** What is remembered of an owner’s connection that was removed; the new one carries it on. */
export async function takeSwitchedOff(
  tx: Db,
  of: Pick<SwitchedOff, 'workspace_id' | 'company_id' | 'pipedrive_user_id' | 'user_id'>,
): Promise<SwitchedOff | undefined> {
  return tx
    .deleteFrom('switched_off')
    .where('workspace_id', '=', of.workspace_id)
    .where('company_id', '=', of.company_id)
    .where('pipedrive_user_id', '=', of.pipedrive_user_id)
    .where('user_id', '=', of.user_id)
    .returningAll()
    .executeTakeFirst();
}
