import type { ConnectionId, WorkspaceId } from '@manifold/contracts';
import { sql } from 'kysely';
import type { Db } from '../store.ts';
import type { RecordRegistry, RegistryPlace } from './tables.ts';

const placeOf = ({ workspace_id, company_id, object }: RegistryPlace): RegistryPlace => ({
  workspace_id,
  company_id,
  object,
});

/** The conditions of a place, for any table of this noun. */
const at = (place: RegistryPlace) => sql<boolean>`workspace_id = ${place.workspace_id}
  and company_id = ${place.company_id} and object = ${place.object}`;

export async function findRegistry(
  tx: Db,
  place: RegistryPlace,
): Promise<RecordRegistry | undefined> {
  return tx.selectFrom('record_registry').selectAll().where(at(place)).executeTakeFirst();
}

/** Nobody else changes what is needed of it until the transaction ends. */
export async function lockRegistry(
  tx: Db,
  place: RegistryPlace,
): Promise<RecordRegistry | undefined> {
  return tx
    .selectFrom('record_registry')
    .selectAll()
    .where(at(place))
    .forUpdate()
    .executeTakeFirst();
}

/** Locks all registries of a company, in one order for everybody. */
export async function lockRegistries(
  tx: Db,
  { workspace_id, company_id }: Omit<RegistryPlace, 'object'>,
): Promise<{ object: RegistryPlace['object'] }[]> {
  return tx
    .selectFrom('record_registry')
    .select('object')
    .where('workspace_id', '=', workspace_id)
    .where('company_id', '=', company_id)
    .orderBy('object')
    .forUpdate()
    .execute();
}

/** The registries of a company, by object. */
export async function listRegistries(
  tx: Db,
  workspaceId: WorkspaceId,
  companyId: string,
): Promise<RecordRegistry[]> {
  return tx
    .selectFrom('record_registry')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('company_id', '=', companyId)
    .orderBy('object')
    .execute();
}

/** Makes a registry unless there is one; true when it was made. */
export async function insertRegistry(
  tx: Db,
  registry: RegistryPlace & {
    connection_id: ConnectionId;
    now: Date;
    verify_at: Date;
  },
): Promise<boolean> {
  const { now, verify_at, connection_id } = registry;
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('record_registry')
    .values({
      ...placeOf(registry),
      connection_id,
      verify_at,
      wanted_keys: [],
      keys: [],
      certified_until: null,
      read_began_at: null,
      read_cursor: null,
      partial_began_at: null,
      reader: null,
      reading_until: null,
      swept_until: null,
      sweep_cursor: null,
      sweep_began_at: null,
      sweep_at: now,
      due_at: now,
      failures: 0,
      reason: null,
      cause: null,
      sight: null,
      releasing: false,
      created_at: now,
    })
    .onConflict((conflict) =>
      conflict.columns(['workspace_id', 'company_id', 'object']).doNothing(),
    )
    .executeTakeFirst();
  return (numInsertedOrUpdatedRows ?? 0n) > 0n;
}

export async function setRegistry(
  tx: Db,
  place: RegistryPlace,
  change: Partial<Omit<RecordRegistry, keyof RegistryPlace>>,
): Promise<void> {
  await tx.updateTable('record_registry').set(change).where(at(place)).execute();
}

export async function removeRegistry(tx: Db, place: RegistryPlace): Promise<void> {
  await tx.deleteFrom('record_registry').where(at(place)).execute();
}

/** Has every object a connection reads swept as soon as possible. */
export async function setSweepDue(
  tx: Db,
  of: { workspaceId: WorkspaceId; connectionId: ConnectionId; now: Date },
): Promise<void> {
  await tx
    .updateTable('record_registry')
    .set({ sweep_at: of.now, due_at: sql`least(due_at, ${of.now})` })
    .where('workspace_id', '=', of.workspaceId)
    .where('connection_id', '=', of.connectionId)
    .execute();
}

/** Has what was not swept since then swept as soon as possible: only across workspaces. */
export async function setSweepsDue(tx: Db, of: { before: Date; now: Date }): Promise<void> {
  await tx
    .updateTable('record_registry')
    .set({ sweep_at: of.now, due_at: sql`least(due_at, ${of.now})` })
    .where('swept_until', '<', of.before)
    .execute();
}

/** Takes registries that have something to do and holds them until `until`: only across workspaces. */
export async function leaseRegistries(
  tx: Db,
  lease: { now: Date; until: Date; limit: number },
): Promise<RecordRegistry[]> {
  // read once: within "in" it may be read anew, and take more than the limit
  const { rows } = await sql<RecordRegistry>`
    with due as materialized (
      select workspace_id, company_id, object from record_registry where due_at <= ${lease.now}
      order by due_at limit ${lease.limit} for update skip locked)
    update record_registry taken set due_at = ${lease.until} from due
    where taken.workspace_id = due.workspace_id and taken.company_id = due.company_id
      and taken.object = due.object
    returning taken.*`.execute(tx);
  return rows;
}

/**
 * Takes the one place of a reader of changes, by the database's own clock, so that a reader that
 * died is replaced whatever the replicas' clocks say.
 */
export async function takeReading(
  tx: Db,
  place: RegistryPlace,
  { reader, seconds }: { reader: string; seconds: number },
): Promise<RecordRegistry | undefined> {
  const until = sql<Date>`clock_timestamp() + make_interval(secs => ${seconds})`;
  return tx
    .updateTable('record_registry')
    .set({ reader, reading_until: until })
    .where(at(place))
    .where(
      sql<boolean>`(reading_until is null or reading_until < clock_timestamp() or reader = ${reader})`,
    )
    .returningAll()
    .executeTakeFirst();
}

/** Gives the place of a reader back, unless another has taken it since. */
export async function releaseReading(tx: Db, place: RegistryPlace, reader: string): Promise<void> {
  await tx
    .updateTable('record_registry')
    .set({ reader: null, reading_until: null })
    .where(at(place))
    .where('reader', '=', reader)
    .execute();
}
