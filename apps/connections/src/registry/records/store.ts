import type { PipedriveObject, WorkspaceId } from '@manifold/contracts';
import { sql } from 'kysely';
import type { Db } from '../../store.ts';
import { compareIds } from '../paging/rules.ts';
import type { RegistryPlace, RegistryTables } from '../tables.ts';

export type KnownRecord = Pick<
  RegistryTables['known_record'],
  'pipedrive_id' | 'update_time' | 'revision' | 'deleted'
>;

const at = (place: RegistryPlace) => sql<boolean>`workspace_id = ${place.workspace_id}
  and company_id = ${place.company_id} and object = ${place.object}`;

const KNOWN = ['pipedrive_id', 'update_time', 'revision', 'deleted'] as const;

const placeOf = ({ workspace_id, company_id, object }: RegistryPlace): RegistryPlace => ({
  workspace_id,
  company_id,
  object,
});

/** What consumers were told of these records, living or not. */
export async function listKnown(
  tx: Db,
  place: RegistryPlace,
  ids: readonly string[],
): Promise<KnownRecord[]> {
  if (ids.length === 0) return [];
  return tx
    .selectFrom('known_record')
    .select(KNOWN)
    .where(at(place))
    .where('pipedrive_id', 'in', ids)
    .where('update_time', 'is not', null)
    .execute();
}

/** After one id, up to another or the end, without the given ones. */
export interface KnownRange {
  after: string;
  upTo: string | undefined;
  without: readonly string[];
  /** With those that are out of a reader's sight. */
  withHidden: boolean;
}

const within = (range: KnownRange) => sql<boolean>`(length(pipedrive_id), pipedrive_id) >
  (length(${range.after}::text), ${range.after}::text)
  and update_time is not null and not deleted and (${range.withHidden} or not hidden)
  and (${range.upTo ?? null}::text is null or (length(pipedrive_id), pipedrive_id) <=
    (length(${range.upTo ?? null}::text), ${range.upTo ?? null}::text))
  and pipedrive_id <> all(${range.without}::text[])`;

/** Living records we know of in a range, the first of them. */
export async function listKnownBetween(
  tx: Db,
  place: RegistryPlace,
  { limit, ...range }: KnownRange & { limit: number },
): Promise<KnownRecord[]> {
  return tx
    .selectFrom('known_record')
    .select(KNOWN)
    .where(at(place))
    .where(within(range))
    .orderBy(sql`length(pipedrive_id)`)
    .orderBy('pipedrive_id')
    .limit(limit)
    .execute();
}

/** How many there are in a range. */
export async function countKnownBetween(
  tx: Db,
  place: RegistryPlace,
  range: KnownRange,
): Promise<number> {
  const { count } = await tx
    .selectFrom('known_record')
    .select(sql<string>`count(*)`.as('count'))
    .where(at(place))
    .where(within(range))
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Living records of each object of a company. */
export async function countKnown(
  tx: Db,
  { workspaceId, companyId }: { workspaceId: WorkspaceId; companyId: string },
): Promise<{ object: PipedriveObject; count: number }[]> {
  const counts = await tx
    .selectFrom('known_record')
    .select(['object', sql<string>`count(*)`.as('count')])
    .where('workspace_id', '=', workspaceId)
    .where('company_id', '=', companyId)
    .where('update_time', 'is not', null)
    .where('deleted', '=', false)
    .where('hidden', '=', false)
    .groupBy('object')
    .execute();
  return counts.map(({ object, count }) => ({ object, count: Number(count) }));
}

/** Notes which records are out of the reader's sight, or in it again. */
export async function setHidden(
  tx: Db,
  place: RegistryPlace,
  { ids, hidden }: { ids: readonly string[]; hidden: boolean },
): Promise<void> {
  await tx
    .updateTable('known_record')
    .set({ hidden })
    .where(at(place))
    .where('hidden', '=', !hidden)
    .where(sql<boolean>`pipedrive_id = any(${ids}::text[])`)
    .execute();
}

/** Notes what consumers were told of records; an older state never replaces a newer one. */
export async function putKnown(
  tx: Db,
  place: RegistryPlace,
  records: readonly { pipedriveId: string; updateTime: Date; revision: number; deleted: boolean }[],
): Promise<void> {
  if (records.length === 0) return;
  await tx
    .insertInto('known_record')
    .values(
      // one order for everybody, so that two writers cannot wait for each other
      records
        .toSorted((one, other) => compareIds(one.pipedriveId, other.pipedriveId))
        .map(({ pipedriveId, updateTime, revision, deleted }) => ({
          ...placeOf(place),
          pipedrive_id: pipedriveId,
          update_time: updateTime,
          revision: String(revision),
          deleted,
          hidden: false,
          indexed_time: null,
        })),
    )
    .onConflict((conflict) =>
      conflict
        .columns(['workspace_id', 'company_id', 'object', 'pipedrive_id'])
        .doUpdateSet((row) => ({
          update_time: row.ref('excluded.update_time'),
          revision: row.ref('excluded.revision'),
          deleted: row.ref('excluded.deleted'),
          hidden: false,
        }))
        .where(
          sql<boolean>`known_record.revision is null or known_record.revision <= excluded.revision`,
        ),
    )
    .execute();
}

/** Records in a state read from Pipedrive; returns those whose keys are not from a newer state. */
export async function markIndexed(
  tx: Db,
  place: RegistryPlace,
  records: readonly { pipedriveId: string; at: Date }[],
): Promise<string[]> {
  if (records.length === 0) return [];
  const rows = await tx
    .insertInto('known_record')
    .values(
      records
        .toSorted((one, other) => compareIds(one.pipedriveId, other.pipedriveId))
        .map((record) => ({
          ...placeOf(place),
          pipedrive_id: record.pipedriveId,
          update_time: null,
          revision: null,
          deleted: false,
          hidden: false,
          indexed_time: record.at,
        })),
    )
    .onConflict((conflict) =>
      conflict
        .columns(['workspace_id', 'company_id', 'object', 'pipedrive_id'])
        .doUpdateSet((row) => ({ indexed_time: row.ref('excluded.indexed_time') }))
        .where(
          sql<boolean>`known_record.indexed_time is null or known_record.indexed_time <= excluded.indexed_time`,
        ),
    )
    .returning('pipedrive_id')
    .execute();
  return rows.map(({ pipedrive_id }) => pipedrive_id);
}
