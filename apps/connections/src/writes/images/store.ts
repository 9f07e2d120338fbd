import { sql } from 'kysely';
import type { Db } from '../../store.ts';

/** Removes images whose time is over, a bounded number at once; returns how many. Across workspaces. */
export async function removeOldImages(
  tx: Db,
  { now, limit }: { now: Date; limit: number },
): Promise<number> {
  const steps = await sql`update write_step s
    set sealed_before = null, sealed_after = null, images_until = null
    from (select workspace_id, id from write_step where images_until <= ${now} limit ${limit}) old
    where s.workspace_id = old.workspace_id and s.id = old.id`.execute(tx);
  const values = await sql`update overwrite o set sealed_values = null
    from (select workspace_id, id from overwrite
      where sealed_values is not null and values_until <= ${now} limit ${limit}) old
    where o.workspace_id = old.workspace_id and o.id = old.id`.execute(tx);
  return Math.max(Number(steps.numAffectedRows ?? 0), Number(values.numAffectedRows ?? 0));
}
