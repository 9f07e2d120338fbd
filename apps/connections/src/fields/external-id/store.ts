import type { ConnectionId, ReasonCode } from '@manifold/contracts';
import { ofThisWorkspace } from '@manifold/database';
import { sql } from 'kysely';
import type { Db } from '../../store.ts';
import type { ExternalIdObject } from './rules.ts';
import type { ExternalIdField } from './tables.ts';

/** Which field: one per object of a company. */
export interface FieldPlace {
  companyId: string;
  object: ExternalIdObject;
}

/** Keeps a consent; one that is there already stays as it was given, but is tried again at once. */
export async function allowField(
  tx: Db,
  consent: Pick<
    ExternalIdField,
    'workspace_id' | 'company_id' | 'object' | 'connection_id' | 'allowed_by' | 'allowed_at'
  >,
): Promise<void> {
  await tx
    .insertInto('external_id_field')
    .values({
      ...consent,
      ...{ field_code: null, found_at: null, lease_until: null, lease_owner: null },
      ...{ refused_reason: null, ask_again_at: null },
    })
    .onConflict((conflict) =>
      conflict
        .columns(['workspace_id', 'company_id', 'object'])
        .doUpdateSet({ refused_reason: null, ask_again_at: null }),
    )
    .execute();
}

/** Takes consents back; the fields stay in Pipedrive. */
export async function disallowFields(
  tx: Db,
  companyId: string,
  objects: readonly ExternalIdObject[],
): Promise<void> {
  await tx
    .deleteFrom('external_id_field')
    .where(ofThisWorkspace)
    .where('company_id', '=', companyId)
    .where('object', 'in', objects)
    .execute();
}

export async function findExternalIdField(
  tx: Db,
  { companyId, object }: FieldPlace,
): Promise<ExternalIdField | undefined> {
  return tx
    .selectFrom('external_id_field')
    .selectAll()
    .where(ofThisWorkspace)
    .where('company_id', '=', companyId)
    .where('object', '=', object)
    .executeTakeFirst();
}

/** The consents that hold for any of these companies. */
export async function listExternalIdFields(
  tx: Db,
  companyIds: readonly string[],
): Promise<ExternalIdField[]> {
  return tx
    .selectFrom('external_id_field')
    .selectAll()
    .where(ofThisWorkspace)
    .where('company_id', 'in', companyIds)
    .orderBy('object')
    .execute();
}

/** Takes the making of a field that is not there; false when another replica has it. */
export async function leaseField(
  tx: Db,
  { companyId, object }: FieldPlace,
  lease: { owner: string; now: Date; until: Date },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('external_id_field')
    .set({ lease_until: lease.until, lease_owner: lease.owner })
    .where(ofThisWorkspace)
    .where('company_id', '=', companyId)
    .where('object', '=', object)
    .where('field_code', 'is', null)
    .where((eb) =>
      eb.or([
        eb('lease_until', 'is', null),
        eb('lease_until', '<=', lease.now),
        // whoever has it asks for more time
        eb('lease_owner', '=', lease.owner),
      ]),
    )
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Ends the making of a field: with its code, with a refusal, or with neither, to be tried again. */
export async function settleField(
  tx: Db,
  { companyId, object }: FieldPlace,
  found: {
    code: string | null;
    at: Date;
    refused?: { reason: ReasonCode; askAgainAt: Date } | undefined;
  },
): Promise<void> {
  await tx
    .updateTable('external_id_field')
    .set({
      field_code: found.code,
      found_at: found.code === null ? null : found.at,
      lease_until: null,
      refused_reason: found.refused?.reason ?? null,
      ask_again_at: found.refused?.askAgainAt ?? null,
    })
    .where(ofThisWorkspace)
    .where('company_id', '=', companyId)
    .where('object', '=', object)
    .execute();
}

/** Consents given for a connection that goes are kept for another one of the same company. */
export async function handOnConsents(tx: Db, id: ConnectionId): Promise<void> {
  await sql`update external_id_field set connection_id = heir.id
    from (select workspace_id, company_id, min(id) as id from connection
      where ${ofThisWorkspace} and id <> ${id} group by workspace_id, company_id) as heir
    where external_id_field.connection_id = ${id}
      and external_id_field.workspace_id = heir.workspace_id
      and external_id_field.company_id = heir.company_id`.execute(tx);
}

/** Forgets a field by its code, found before a time: it is made again when it is needed. */
export async function forgetField(
  tx: Db,
  { companyId, object }: FieldPlace,
  gone: { code: string; foundBefore: Date },
): Promise<void> {
  await tx
    .updateTable('external_id_field')
    .set({ field_code: null, found_at: null })
    .where(ofThisWorkspace)
    .where('company_id', '=', companyId)
    .where('object', '=', object)
    .where('field_code', '=', gone.code)
    .where('found_at', '<=', gone.foundBefore)
    .execute();
}
