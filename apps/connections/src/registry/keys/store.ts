import { sql } from 'kysely';
import type { Db } from '../../store.ts';
import type { RegistryPlace } from '../tables.ts';

const at = (place: RegistryPlace) => sql<boolean>`workspace_id = ${place.workspace_id}
  and company_id = ${place.company_id} and object = ${place.object}`;

/** Enters keys; with `replaced`, the other keys of those records go. */
export async function putKeys(
  tx: Db,
  place: RegistryPlace,
  {
    keys,
    replaced,
  }: { keys: readonly { hash: string; pipedriveId: string }[]; replaced: readonly string[] },
): Promise<void> {
  if (replaced.length > 0) await removeKeys(tx, place, replaced);
  if (keys.length === 0) return;
  await sql`insert into indexed_key (workspace_id, company_id, object, key_hash, pipedrive_id)
    select ${place.workspace_id}, ${place.company_id}, ${place.object}, hash, id
    from unnest(${keys.map(({ hash }) => hash)}::text[], ${keys.map(({ pipedriveId }) => pipedriveId)}::text[])
      as entered (hash, id)
    order by hash, length(id), id
    on conflict do nothing`.execute(tx);
}

export async function removeKeys(
  tx: Db,
  place: RegistryPlace,
  ids: readonly string[],
): Promise<void> {
  await tx
    .deleteFrom('indexed_key')
    .where(at(place))
    .where(sql<boolean>`pipedrive_id = any(${ids}::text[])`)
    .execute();
}

/** Living records with a key, in order of their ids; a few, even where many share it. */
export async function listRecordsWithKey(
  tx: Db,
  place: RegistryPlace,
  { keyHash, limit }: { keyHash: string; limit: number },
): Promise<string[]> {
  // a page read before a record was deleted can enter its keys after; one read since says it is back
  const rows = await tx
    .selectFrom('indexed_key as key')
    .innerJoin('known_record as known', (join) =>
      join
        .onRef('known.workspace_id', '=', 'key.workspace_id')
        .onRef('known.company_id', '=', 'key.company_id')
        .onRef('known.object', '=', 'key.object')
        .onRef('known.pipedrive_id', '=', 'key.pipedrive_id'),
    )
    .select('key.pipedrive_id')
    .where('key.workspace_id', '=', place.workspace_id)
    .where('key.company_id', '=', place.company_id)
    .where('key.object', '=', place.object)
    .where('key.key_hash', '=', keyHash)
    .where(sql<boolean>`(not known.deleted or known.indexed_time > known.update_time)`)
    .orderBy(sql`length(key.pipedrive_id)`)
    .orderBy('key.pipedrive_id')
    .limit(limit)
    .execute();
  return rows.map(({ pipedrive_id }) => pipedrive_id);
}
