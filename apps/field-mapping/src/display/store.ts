import type { FieldMappingId, UserId, WorkspaceId } from '@manifold/contracts';
import type { Insertable } from 'kysely';
import type { Db, DisplayConfig, FieldMapping, Tables } from '../store.ts';

interface Whose {
  userId: UserId;
  object: DisplayConfig['object'];
}

export async function findDisplayConfig(
  tx: Db,
  workspaceId: WorkspaceId,
  { userId, object }: Whose,
): Promise<DisplayConfig | undefined> {
  return tx
    .selectFrom('display_config')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('user_id', '=', userId)
    .where('object', '=', object)
    .executeTakeFirst();
}

export async function setDisplayConfig(
  tx: Db,
  config: Insertable<Tables['display_config']>,
): Promise<void> {
  await tx
    .insertInto('display_config')
    .values(config)
    .onConflict((conflict) =>
      conflict.columns(['workspace_id', 'user_id', 'object']).doUpdateSet((row) => ({
        fields: row.ref('excluded.fields'),
        updated_at: row.ref('excluded.updated_at'),
      })),
    )
    .execute();
}

export async function deleteDisplayConfig(
  tx: Db,
  workspaceId: WorkspaceId,
  { userId, object }: Whose,
): Promise<void> {
  await tx
    .deleteFrom('display_config')
    .where('workspace_id', '=', workspaceId)
    .where('user_id', '=', userId)
    .where('object', '=', object)
    .execute();
}

const MOST = 200;

/** The published mappings that fill contacts and accounts, oldest first. */
export async function listPublishedMappings(
  tx: Db,
  workspaceId: WorkspaceId,
): Promise<{ id: FieldMappingId; connection_id: FieldMapping['connection_id'] }[]> {
  return tx
    .selectFrom('field_mapping')
    .select(['id', 'connection_id'])
    .where('workspace_id', '=', workspaceId)
    .where('purpose', '=', 'CONTACTS_FROM_PIPEDRIVE')
    .where('version', 'is not', null)
    .orderBy('created_at')
    .orderBy('id')
    .limit(MOST)
    .execute();
}
