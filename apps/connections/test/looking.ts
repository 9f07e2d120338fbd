import type { WorkspaceId } from '@manifold/contracts';
import { acrossWorkspaces } from '@manifold/database';
import type { Db } from '../src/store.ts';

/** Bodies of the events of a workspace, oldest first; all of one name when given. */
export async function listEvents(db: Db, workspaceId: WorkspaceId, name?: string) {
  const rows = await acrossWorkspaces(db, (tx) =>
    tx
      .selectFrom('outbox')
      .select(['name', 'body'])
      .where('workspace_id', '=', workspaceId)
      .orderBy('id')
      .execute(),
  );
  // typed by what each test expects of them
  const bodies = rows.map(({ body }) => JSON.parse(JSON.stringify(body)));
  return bodies.filter((body) => name === undefined || body.name === `connections.${name}.v1`);
}

const tables = [
  'outbox',
  'idempotency',
  'dead_letter',
  'oauth_state',
  'connection',
  'pipedrive_grant',
  'consent',
  'switched_off',
  'data_key',
  'field_catalogue',
  'webhook_receipt',
  'webhook_health',
  'record_registry',
  'registry_need',
  'known_record',
  'indexed_key',
  'completeness_certificate',
  'completeness_gap',
  'api_call',
  'api_usage',
  'api_day',
  'api_window',
  'link',
  'write_request',
  'write_step',
  'change_set',
  'change',
  'record_hash',
  'overwrite',
] as const;

/** Every row of every table as one text, to search it for what must not be there. */
export async function dumpTables(db: Db): Promise<string> {
  return acrossWorkspaces(db, async (tx) => {
    const dumps: string[] = [];
    for (const table of tables) {
      dumps.push(`${table} ${JSON.stringify(await tx.selectFrom(table).selectAll().execute())}`);
    }
    return dumps.join('\n');
  });
}
