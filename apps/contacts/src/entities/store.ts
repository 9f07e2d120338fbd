import type { AccountId, ContactId, WorkspaceId } from '@manifold/contracts';
import { type Insertable, sql } from 'kysely';
import type { Contact, Db, SyncedObject, Tables } from '../store.ts';

/** A contact or account as it is merged; an account's account is always null. */
export type Entity = Pick<Contact, 'account_id' | 'values' | 'origins' | 'subscriptions'> & {
  id: string;
};

/** In one order, so that two sources that fill the same contacts take turns. */
export async function lockEntities(
  tx: Db,
  workspaceId: WorkspaceId,
  { object, ids }: { object: SyncedObject; ids: readonly string[] },
): Promise<Entity[]> {
  if (object === 'person') {
    const { rows } = await sql<Entity>`select id, account_id, "values", origins, subscriptions
      from contact
      where workspace_id = ${workspaceId} and id = any(${[...ids]}::text[])
      order by id for update`.execute(tx);
    return rows;
  }
  const { rows } = await sql<Entity>`select id, null as account_id, "values", origins,
      '{}'::jsonb as subscriptions from account
    where workspace_id = ${workspaceId} and id = any(${[...ids]}::text[])
    order by id for update`.execute(tx);
  return rows;
}

/** Contacts and accounts as rows; jsonb columns as values, not as text. */
export type EntityRow = Omit<
  Insertable<Tables['contact']>,
  'id' | 'values' | 'origins' | 'subscriptions'
> &
  Pick<Contact, 'values' | 'origins' | 'subscriptions'> & { id: string };

const tableOf = (object: SyncedObject) => sql.table(object === 'person' ? 'contact' : 'account');

/** What Postgres cannot hold as text, as `JSON.stringify` writes it: NUL and halves of surrogate pairs. */
const UNSTORABLE = /(?<!\\)((?:\\\\)*)\\u(?:0000|d[89a-f][0-9a-f]{2})/g;

const toJson = (rows: readonly EntityRow[]): string =>
  JSON.stringify(rows).replaceAll(UNSTORABLE, '$1');

/** Columns are matched by name, so a contact's e-mail does not disturb an account. */
export async function insertEntities(
  tx: Db,
  object: SyncedObject,
  rows: readonly EntityRow[],
): Promise<void> {
  const table = tableOf(object);
  await sql`insert into ${table}
    select * from json_populate_recordset(null::${table}, ${toJson(rows)}::json)`.execute(tx);
}

/** Everything but id and time of creation; the rows were locked before. */
export async function updateEntities(
  tx: Db,
  workspaceId: WorkspaceId,
  { object, rows }: { object: SyncedObject; rows: readonly EntityRow[] },
): Promise<void> {
  const table = tableOf(object);
  const ofContact = sql`, email = now.email, phone = now.phone, account_id = now.account_id,
    subscriptions = now.subscriptions`;
  await sql`update ${table} entity set name = now.name, name_sort = now.name_sort,
      "values" = now."values", origins = now.origins, updated_at = now.updated_at
      ${object === 'person' ? ofContact : sql``}
    from json_populate_recordset(null::${table}, ${toJson(rows)}::json) now
    where entity.workspace_id = ${workspaceId} and entity.id = now.id`.execute(tx);
}

export async function deleteContact(
  tx: Db,
  workspaceId: WorkspaceId,
  id: ContactId,
): Promise<void> {
  await tx
    .deleteFrom('contact')
    .where('workspace_id', '=', workspaceId)
    .where('id', '=', id)
    .execute();
}

/** The account goes; its contacts belong to the survivor of a merge, or to none. */
export async function deleteAccount(
  tx: Db,
  workspaceId: WorkspaceId,
  { id, survivor, now }: { id: AccountId; survivor: AccountId | null; now: Date },
): Promise<void> {
  await tx
    .updateTable('contact')
    .set({ account_id: survivor, updated_at: now })
    .where('workspace_id', '=', workspaceId)
    .where('account_id', '=', id)
    .execute();
  await tx
    .deleteFrom('account')
    .where('workspace_id', '=', workspaceId)
    .where('id', '=', id)
    .execute();
}
