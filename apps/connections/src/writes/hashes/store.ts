import { ofThisWorkspace } from '@manifold/database';
import { type Selectable, sql } from 'kysely';
import type { RecordRef } from '../../links/store.ts';
import type { Db } from '../../store.ts';
import type { WriteTables } from '../tables.ts';

export type RecordHash = Selectable<WriteTables['record_hash']>;

export async function findHashes(tx: Db, record: RecordRef): Promise<RecordHash | undefined> {
  return tx
    .selectFrom('record_hash')
    .selectAll()
    .where(ofThisWorkspace)
    .where('company_id', '=', record.companyId)
    .where('object', '=', record.object)
    .where('pipedrive_id', '=', record.pipedriveId)
    .executeTakeFirst();
}

/** The same, held until the transaction ends. */
export async function lockHashes(tx: Db, record: RecordRef): Promise<RecordHash | undefined> {
  return tx
    .selectFrom('record_hash')
    .selectAll()
    .where(ofThisWorkspace)
    .where('company_id', '=', record.companyId)
    .where('object', '=', record.object)
    .where('pipedrive_id', '=', record.pipedriveId)
    .forUpdate()
    .executeTakeFirst();
}

/**
 * Notes what a record holds, unless something newer is known of it. Pipedrive counts in whole seconds:
 * of two values of one second nobody knows which is the later, so neither is kept.
 */
export async function putHashes(tx: Db, row: RecordHash): Promise<void> {
  const both = sql`(record_hash.hashes::jsonb || excluded.hashes::jsonb)`;
  const undisputed = sql`(select coalesce(jsonb_object_agg(code, parts), '{}')
    from jsonb_each(${both}) as field (code, parts)
    where coalesce(record_hash.hashes::jsonb -> code, parts) = parts)`;
  await tx
    .insertInto('record_hash')
    .values(row)
    .onConflict((conflict) =>
      conflict
        .columns(['workspace_id', 'company_id', 'object', 'pipedrive_id'])
        .doUpdateSet({
          hashes: sql`case when record_hash.update_time is not distinct from excluded.update_time
            then ${undisputed} else ${both} end::text`,
          update_time: row.update_time,
          seen_at: row.seen_at,
        })
        .where(
          sql<boolean>`record_hash.update_time is null or record_hash.update_time <= excluded.update_time`,
        ),
    )
    .execute();
}

export async function removeHashes(tx: Db, record: RecordRef): Promise<void> {
  await tx
    .deleteFrom('record_hash')
    .where(ofThisWorkspace)
    .where('company_id', '=', record.companyId)
    .where('object', '=', record.object)
    .where('pipedrive_id', '=', record.pipedriveId)
    .execute();
}
