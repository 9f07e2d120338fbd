import { sql } from 'kysely';
import type { Db } from '../../store.ts';
import { removeKeys } from '../keys/store.ts';
import type { RegistryPlace } from '../tables.ts';

const at = (place: RegistryPlace) => sql<boolean>`workspace_id = ${place.workspace_id}
  and company_id = ${place.company_id} and object = ${place.object}`;

/** Removes what is kept of an object, a bounded number at a time; returns how many rows went. */
export async function removeRecords(tx: Db, place: RegistryPlace, limit: number): Promise<number> {
  const removeFrom = async (table: string): Promise<number> => {
    const name = sql.table(table);
    const { numAffectedRows } = await sql`delete from ${name} where ctid in (
      select ctid from ${name} where ${at(place)} limit ${limit})`.execute(tx);
    return Number(numAffectedRows ?? 0);
  };
  return (await removeFrom('indexed_key')) + (await removeFrom('known_record'));
}

/** Deleted records need not be remembered longer than a late delivery can take. */
export async function removeOldDeleted(tx: Db, place: RegistryPlace, before: Date): Promise<void> {
  const gone = await tx
    .deleteFrom('known_record')
    .where(at(place))
    .where('deleted', '=', true)
    .where('update_time', '<', before)
    .where(sql<boolean>`(indexed_time is null or indexed_time <= update_time)`)
    .returning('pipedrive_id')
    .execute();
  await removeKeys(
    tx,
    place,
    gone.map(({ pipedrive_id }) => pipedrive_id),
  );
}
