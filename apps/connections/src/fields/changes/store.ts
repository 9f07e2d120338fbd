import type { ConnectionId, PipedriveObject } from '@manifold/contracts';
import { countRows, ofThisWorkspace, pageByKeyset } from '@manifold/database';
import type { PageRequest } from '@manifold/subgraph';
import { sql } from 'kysely';
import type { Db } from '../../store.ts';
import type { DifferenceKind } from '../rules.ts';
import type { FieldChange } from './tables.ts';

export async function insertFieldChanges(
  tx: Db,
  changes: readonly Omit<FieldChange, 'number'>[],
): Promise<void> {
  if (changes.length === 0) return;
  const number = sql<string>`nextval('field_change_number')`;
  await tx
    .insertInto('field_change')
    .values(changes.map((change) => ({ ...change, number })))
    .execute();
}

export interface FieldChangeFilter {
  connectionId: ConnectionId;
  objects?: readonly PipedriveObject[] | undefined;
  kinds?: readonly DifferenceKind[] | undefined;
}

/** One page, newest first. */
export async function listFieldChanges(
  tx: Db,
  filter: FieldChangeFilter,
  page: PageRequest,
): Promise<FieldChange[]> {
  const rows = changesThat(tx, filter).selectAll();
  return pageByKeyset(rows, { by: ['number'], descending: true, page }).execute();
}

export async function countFieldChanges(tx: Db, filter: FieldChangeFilter): Promise<number> {
  return countRows(changesThat(tx, filter));
}

const changesThat = (tx: Db, { connectionId, objects, kinds }: FieldChangeFilter) =>
  tx
    .selectFrom('field_change')
    .where(ofThisWorkspace)
    .where('connection_id', '=', connectionId)
    .$if(objects?.length === 0 || kinds?.length === 0, (rows) => rows.where((eb) => eb.lit(false)))
    .$if((objects?.length ?? 0) > 0, (rows) => rows.where('object', 'in', objects ?? []))
    .$if((kinds?.length ?? 0) > 0, (rows) => rows.where('kind', 'in', kinds ?? []));

export async function removeOldFieldChanges(
  tx: Db,
  connectionId: ConnectionId,
  before: Date,
): Promise<void> {
  await tx
    .deleteFrom('field_change')
    .where(ofThisWorkspace)
    .where('connection_id', '=', connectionId)
    .where('found_at', '<', before)
    .execute();
}
