import { withWorkspace } from '@manifold/database';
import type { PipedriveClient } from '@manifold/pipedrive';
import type { Logger } from 'pino';
import { openSecret } from '../accounts/credential.ts';
import { setConnection } from '../accounts/store.ts';
import type { Connection } from '../accounts/tables.ts';
import type { Db } from '../store.ts';
import type { Vault } from '../vault/seal.ts';

/** Name of the user Pipedrive authenticates its deliveries with. */
export const WEBHOOK_USER = 'manifold';

interface SubscriptionDeps {
  db: Db;
  vault: Vault;
  publicUrl: string;
  log: Logger;
}

/**
 * Makes sure Pipedrive tells us of every change: finds the connection's subscription or makes one.
 * False when that is not possible now; the connection works without, by reading.
 */
export async function ensureSubscription(
  deps: SubscriptionDeps,
  client: PipedriveClient,
  connection: Connection,
): Promise<boolean> {
  const { log } = deps;
  const listed = await client.listWebhooks();
  if (listed.outcome !== 'ok') {
    log.warn({ connection: connection.id, outcome: listed.outcome }, 'webhooks not listed');
    return keepState(deps, connection, { webhook_state: 'FAILED' });
  }
  const url = addressOf(deps, connection);
  const ours = listed.data.filter(({ name }) => name === nameOf(connection));
  const current = ours.find((webhook) => webhook.url === url && webhook.active);
  // addresses of an earlier PUBLIC_URL, or banned
  for (const { id } of ours.filter((webhook) => webhook !== current))
    await client.deleteWebhook(id);
  if (current)
    return keepState(deps, connection, { webhook_state: 'ACTIVE', webhook_id: current.id });
  return subscribe(deps, client, connection);
}

async function subscribe(
  deps: SubscriptionDeps,
  client: PipedriveClient,
  connection: Connection,
): Promise<boolean> {
  const created = await client.createWebhook({
    url: addressOf(deps, connection),
    name: nameOf(connection),
    action: '*',
    object: '*',
    user: WEBHOOK_USER,
    password: openSecret(deps.vault, connection, 'webhook_password') ?? '',
  });
  if (created.outcome !== 'ok') {
    const status = created.outcome === 'refused' ? created.status : undefined;
    deps.log.warn(
      { connection: connection.id, outcome: created.outcome, status },
      'webhook not subscribed; changes are found by reading until it is',
    );
    return keepState(deps, connection, { webhook_state: 'FAILED', webhook_id: null });
  }
  return keepState(deps, connection, { webhook_state: 'ACTIVE', webhook_id: created.data.id });
}

const nameOf = (connection: Connection): string => `Manifold ${connection.id}`;

const addressOf = ({ vault, publicUrl }: SubscriptionDeps, connection: Connection): string =>
  new URL(`/webhooks/${openSecret(vault, connection, 'webhook_path')}`, publicUrl).href;

async function keepState(
  { db }: SubscriptionDeps,
  connection: Connection,
  state: Partial<Pick<Connection, 'webhook_state' | 'webhook_id'>>,
): Promise<boolean> {
  await withWorkspace(db, connection.workspace_id, (tx) => setConnection(tx, connection.id, state));
  return state.webhook_state === 'ACTIVE';
}
