import type { CompletenessCertificateId, WorkspaceId } from '@manifold/contracts';
import { ofThisWorkspace } from '@manifold/database';
import { sql } from 'kysely';
import type { RegistryPlace } from '../registry/tables.ts';
import type { Db } from '../store.ts';
import type { Certificate, Gap } from './tables.ts';

const at = (place: RegistryPlace) => sql<boolean>`workspace_id = ${place.workspace_id}
  and company_id = ${place.company_id} and object = ${place.object}`;

export async function insertCertificate(tx: Db, certificate: Certificate): Promise<void> {
  await tx.insertInto('completeness_certificate').values(certificate).execute();
}

export async function listCertificates(
  tx: Db,
  ids: readonly CompletenessCertificateId[],
): Promise<Certificate[]> {
  return tx
    .selectFrom('completeness_certificate')
    .selectAll()
    .where(ofThisWorkspace)
    .where('id', 'in', ids)
    .execute();
}

/** One change of a certificate at a time. */
export async function lockCertificate(
  tx: Db,
  id: CompletenessCertificateId,
): Promise<Certificate | undefined> {
  return tx
    .selectFrom('completeness_certificate')
    .selectAll()
    .where(ofThisWorkspace)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
}

export async function findOpenCertificate(
  tx: Db,
  place: RegistryPlace,
): Promise<Certificate | undefined> {
  return tx
    .selectFrom('completeness_certificate')
    .selectAll()
    .where(at(place))
    .where('state', 'in', ['CHECKING', 'REPAIRING'])
    .executeTakeFirst();
}

/** The one that begins when the open one ends. */
export async function findWaitingCertificate(
  tx: Db,
  place: RegistryPlace,
): Promise<Certificate | undefined> {
  return tx
    .selectFrom('completeness_certificate')
    .selectAll()
    .where(at(place))
    .where('state', '=', 'WAITING')
    .executeTakeFirst();
}

/** One beginning of a comparison at a time for an object, until the transaction ends. */
export async function lockBeginning(tx: Db, place: RegistryPlace): Promise<void> {
  const { workspace_id, company_id, object } = place;
  await sql`select pg_advisory_xact_lock(
    hashtextextended(${`certificate|${workspace_id}|${company_id}|${object}`}, 0))`.execute(tx);
}

/** The newest certificate of every object of a company; one that waits comes after the one that runs. */
export async function listNewestCertificates(
  tx: Db,
  workspaceId: WorkspaceId,
  companyId: string,
): Promise<Certificate[]> {
  return tx
    .selectFrom('completeness_certificate')
    .distinctOn('object')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('company_id', '=', companyId)
    .orderBy('object')
    .orderBy(sql`state = 'WAITING'`)
    .orderBy('id', 'desc')
    .execute();
}

export async function setCertificate(
  tx: Db,
  id: CompletenessCertificateId,
  change: Partial<Omit<Certificate, 'workspace_id' | 'id'>>,
): Promise<Certificate | undefined> {
  return tx
    .updateTable('completeness_certificate')
    .set(change)
    .where(ofThisWorkspace)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();
}

/** Keeps the newest of an object, so that their number is bounded. */
export async function removeOldCertificates(
  tx: Db,
  place: RegistryPlace,
  keep: number,
): Promise<void> {
  await sql`delete from completeness_certificate where ${at(place)} and id not in (
    select id from completeness_certificate where ${at(place)} order by id desc limit ${keep})`.execute(
    tx,
  );
}

export async function removeCertificates(tx: Db, place: RegistryPlace): Promise<void> {
  await sql`delete from completeness_gap where workspace_id = ${place.workspace_id}
    and certificate_id in (select id from completeness_certificate where ${at(place)})`.execute(tx);
  await tx.deleteFrom('completeness_certificate').where(at(place)).execute();
}

export async function insertGaps(tx: Db, gaps: readonly Gap[]): Promise<void> {
  if (gaps.length === 0) return;
  await tx
    .insertInto('completeness_gap')
    .values([...gaps])
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Gaps of a certificate in order of their ids, after one of them. */
export async function listGaps(
  tx: Db,
  id: CompletenessCertificateId,
  page: { limit: number; after?: string; kinds?: readonly Gap['kind'][] },
): Promise<Gap[]> {
  return tx
    .selectFrom('completeness_gap')
    .selectAll()
    .where(ofThisWorkspace)
    .where('certificate_id', '=', id)
    .$if(page.after !== undefined, (gaps) =>
      gaps.where(sql<boolean>`(length(pipedrive_id), pipedrive_id) >
        (length(${page.after ?? '0'}::text), ${page.after ?? '0'}::text)`),
    )
    .$if(page.kinds !== undefined, (gaps) => gaps.where('kind', 'in', page.kinds ?? []))
    .orderBy(sql`length(pipedrive_id)`)
    .orderBy('pipedrive_id')
    .limit(page.limit)
    .execute();
}

/** Gaps that turned out to be none, or are repaired; all of a certificate when no ids are given. */
export async function removeGaps(
  tx: Db,
  id: CompletenessCertificateId,
  pipedriveIds?: readonly string[],
): Promise<void> {
  await tx
    .deleteFrom('completeness_gap')
    .where(ofThisWorkspace)
    .where('certificate_id', '=', id)
    .$if(pipedriveIds !== undefined, (gaps) =>
      gaps.where(sql<boolean>`pipedrive_id = any(${pipedriveIds ?? []}::text[])`),
    )
    .execute();
}
