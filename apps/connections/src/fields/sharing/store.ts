import { sql } from 'kysely';
import type { Connection } from '../../accounts/tables.ts';
import type { Db } from '../../store.ts';

/**
 * Takes over when another connection of the workspace to the same company read a catalogue later and
 * found it the same as this one's: what two grants saw alike need not be paid for twice. One that
 * differs, or lacks a field a record named, is read by each: grants may see different fields. Returns
 * how many.
 */
export async function takeOverReadings(
  tx: Db,
  connection: Pick<Connection, 'id' | 'company_id'>,
): Promise<number> {
  const { numAffectedRows } = await sql`
    update field_catalogue own set read_at = same.read_at, asked_at = same.asked_at
    from (
      select distinct on (mine.object) mine.object, other.read_at, other.asked_at
      from field_catalogue mine
      join field_catalogue other on other.workspace_id = mine.workspace_id
        and other.object = mine.object and other.connection_id <> mine.connection_id
        and other.definitions = mine.definitions
      join connection c on c.workspace_id = other.workspace_id and c.id = other.connection_id
      where mine.workspace_id = current_setting('manifold.workspace')
        and mine.connection_id = ${connection.id} and c.company_id = ${connection.company_id}
        and c.status = 'ACTIVE' and not mine.is_stale and not other.is_stale
        and other.asked_at > mine.asked_at and other.read_at > mine.read_at
      order by mine.object, other.read_at desc
    ) same
    where own.workspace_id = current_setting('manifold.workspace')
      and own.connection_id = ${connection.id} and own.object = same.object`.execute(tx);
  return Number(numAffectedRows ?? 0);
}
