import type { ConnectionId, PipedriveObject, WorkspaceId } from '@manifold/contracts';
import { sql } from 'kysely';
import type { Db } from '../../store.ts';
import type { RegistryPlace, RegistryTables } from '../tables.ts';

export type Need = RegistryTables['registry_need'];

const at = (place: RegistryPlace) => sql<boolean>`workspace_id = ${place.workspace_id}
  and company_id = ${place.company_id} and object = ${place.object}`;

/** Notes who needs a registry; a repeat replaces the keys it needs. */
export async function putNeed(tx: Db, need: Need): Promise<void> {
  await tx
    .insertInto('registry_need')
    .values(need)
    .onConflict((conflict) =>
      conflict
        .columns(['workspace_id', 'company_id', 'object', 'connection_id', 'feature'])
        .doUpdateSet({ keys: need.keys }),
    )
    .execute();
}

export async function removeNeed(
  tx: Db,
  need: RegistryPlace & { connection_id: ConnectionId; feature: string },
): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('registry_need')
    .where(at(need))
    .where('connection_id', '=', need.connection_id)
    .where('feature', '=', need.feature)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

/** The needs of connections that are gone go with them. */
export async function removeOrphanedNeeds(tx: Db, place: RegistryPlace): Promise<void> {
  await tx
    .deleteFrom('registry_need')
    .where(at(place))
    .where((where) =>
      where.not(
        where.exists(
          where
            .selectFrom('connection')
            .select('connection.id')
            .whereRef('connection.workspace_id', '=', 'registry_need.workspace_id')
            .whereRef('connection.id', '=', 'registry_need.connection_id'),
        ),
      ),
    )
    .execute();
}

export async function listNeeds(
  tx: Db,
  of: { workspaceId: WorkspaceId; companyId: string; object?: PipedriveObject },
): Promise<Need[]> {
  const needs = tx
    .selectFrom('registry_need')
    .selectAll()
    .where('workspace_id', '=', of.workspaceId)
    .where('company_id', '=', of.companyId)
    .orderBy('created_at');
  return (of.object === undefined ? needs : needs.where('object', '=', of.object)).execute();
}
