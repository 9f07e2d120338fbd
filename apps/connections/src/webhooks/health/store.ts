import type { ConnectionId } from '@manifold/contracts';
import { ofThisWorkspace } from '@manifold/database';
import { sql } from 'kysely';
import type { Db } from '../../store.ts';
import type { WebhookHealth } from '../tables.ts';

export async function findHealth(tx: Db, id: ConnectionId): Promise<WebhookHealth | undefined> {
  return tx
    .selectFrom('webhook_health')
    .selectAll()
    .where(ofThisWorkspace)
    .where('id', '=', id)
    .executeTakeFirst();
}

/** As `findHealth`, whatever the workspace: only in a scope across workspaces. */
export async function findAnyHealth(tx: Db, id: ConnectionId): Promise<WebhookHealth | undefined> {
  return tx.selectFrom('webhook_health').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function listHealth(tx: Db, ids: readonly ConnectionId[]): Promise<WebhookHealth[]> {
  return tx
    .selectFrom('webhook_health')
    .selectAll()
    .where(ofThisWorkspace)
    .where('id', 'in', ids)
    .execute();
}

/** Begins to watch connections that are not watched yet: only across workspaces. */
export async function watchConnections(tx: Db, dueAt: Date): Promise<void> {
  await sql`insert into webhook_health (workspace_id, id, state, due_at)
    select workspace_id, id, 'UNKNOWN', ${dueAt} from connection
    where established_at is not null and not exists (
      select from webhook_health as watched where watched.workspace_id = connection.workspace_id
        and watched.id = connection.id)
    limit 100 on conflict do nothing`.execute(tx);
}

/** Forgets connections that are gone: only across workspaces. */
export async function forgetConnections(tx: Db): Promise<void> {
  await sql`delete from webhook_health where not exists (select from connection
    where connection.workspace_id = webhook_health.workspace_id
      and connection.id = webhook_health.id)`.execute(tx);
}

/** Takes connections whose subscription is due to be looked at: only across workspaces. */
export async function leaseHealth(
  tx: Db,
  lease: { now: Date; until: Date; limit: number },
): Promise<WebhookHealth[]> {
  // read once: within "in" it may be read anew, and take more than the limit
  const { rows } = await sql<WebhookHealth>`
    with due as materialized (
      select health.workspace_id, health.id from webhook_health as health
      join connection on connection.workspace_id = health.workspace_id
        and connection.id = health.id
      where health.due_at <= ${lease.now} and connection.status = 'ACTIVE'
      order by health.due_at limit ${lease.limit} for update of health skip locked)
    update webhook_health taken set due_at = ${lease.until} from due
    where taken.workspace_id = due.workspace_id and taken.id = due.id
    returning taken.*`.execute(tx);
  return rows;
}

export async function setHealth(
  tx: Db,
  id: ConnectionId,
  change: Partial<Omit<WebhookHealth, 'workspace_id' | 'id'>>,
): Promise<WebhookHealth | undefined> {
  return tx
    .updateTable('webhook_health')
    .set(change)
    .where(ofThisWorkspace)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();
}

/** Has a subscription looked at at a time, unless it is earlier; it may not be watched yet. */
export async function hastenCheck(
  tx: Db,
  { workspace_id, id }: Pick<WebhookHealth, 'workspace_id' | 'id'>,
  at: Date,
): Promise<void> {
  await sql`insert into webhook_health (workspace_id, id, state, due_at)
    values (${workspace_id}, ${id}, 'UNKNOWN', ${at})
    on conflict (workspace_id, id) do update
    set due_at = least(webhook_health.due_at, excluded.due_at)`.execute(tx);
}

/** As `setHealth`, for a connection that may not be watched yet. */
export async function putHealth(
  tx: Db,
  health: Pick<WebhookHealth, 'workspace_id' | 'id'> & Partial<WebhookHealth> & { due_at: Date },
): Promise<void> {
  const { workspace_id: _, id: __, ...change } = health;
  await tx
    .insertInto('webhook_health')
    .values({
      state: 'UNKNOWN',
      checked_at: null,
      last_delivery_at: null,
      last_status: null,
      banned_until: null,
      repaired_at: null,
      previous_id: null,
      previous_password: null,
      previous_until: null,
      rotate_at: null,
      ...health,
    })
    .onConflict((conflict) => conflict.columns(['workspace_id', 'id']).doUpdateSet(change))
    .execute();
}
