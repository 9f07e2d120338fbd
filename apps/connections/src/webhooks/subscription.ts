import { withWorkspace } from '@manifold/database';
import type { Failure, PipedriveClient, WebhookSubscription } from '@manifold/pipedrive';
import type { Logger } from 'pino';
import { openSecret } from '../accounts/tokens/credential.ts';
import { findConnection, setConnection } from '../accounts/store.ts';
import type { Connection } from '../accounts/tables.ts';
import type { Db } from '../store.ts';
import type { Vault } from '../vault/seal.ts';
import { setHealth } from './health/store.ts';
import { changeAlone } from './leases/commands.ts';
import { paceAfter, type Pace } from './rules.ts';

/** Name of the user Pipedrive authenticates its deliveries with. */
export const WEBHOOK_USER = 'manifold';

export interface SubscriptionDeps {
  db: Db;
  vault: Vault;
  publicUrl: string;
  log: Logger;
}

/** The connection's own subscriptions as Pipedrive keeps them; `current` is the one at our address. */
export async function inspectSubscriptions(
  deps: SubscriptionDeps,
  client: PipedriveClient,
  connection: Connection,
): Promise<
  { outcome: 'ok'; ours: WebhookSubscription[]; current: WebhookSubscription | undefined } | Failure
> {
  const listed = await client.listWebhooks();
  if (listed.outcome !== 'ok') return listed;
  const url = addressOf(deps, connection);
  const ours = listed.data.filter(({ name }) => name === nameOf(connection));
  const here = ours.filter((webhook) => webhook.url === url);
  return { outcome: 'ok', ours, current: chooseCurrent(here, connection.webhook_id) };
}

/** The one we know of those that send; one that sends, or may send again, before a removed one. */
const chooseCurrent = (
  here: readonly WebhookSubscription[],
  known: string | null,
): WebhookSubscription | undefined =>
  here.find(({ id, active }) => active && id === known) ??
  here.find(({ active }) => active) ??
  here.find(({ removeTime }) => removeTime === null) ??
  here[0];

/**
 * Makes sure Pipedrive tells us of every change: finds the connection's subscription or makes one.
 * Says when to look again; meanwhile the connection works without, by reading.
 */
export async function ensureSubscription(
  deps: SubscriptionDeps,
  client: PipedriveClient,
  connection: Connection,
): Promise<Pace> {
  const pace = await changeAlone(deps.db, connection, () => ensureAlone(deps, client, connection));
  return pace === 'busy' ? 'soon' : pace;
}

async function ensureAlone(
  deps: SubscriptionDeps,
  client: PipedriveClient,
  { workspace_id: workspaceId, id }: Connection,
): Promise<Pace> {
  // whoever was at it before may have changed what it is
  const connection = await withWorkspace(deps.db, workspaceId, (tx) => findConnection(tx, id));
  if (connection === undefined) return 'normal';
  const inspected = await inspectSubscriptions(deps, client, connection);
  if (inspected.outcome !== 'ok') {
    const { outcome } = inspected;
    deps.log.warn({ connection: connection.id, outcome }, 'webhooks not listed');
    await keepState(deps, connection, { webhook_state: 'FAILED' });
    return paceAfter(outcome);
  }
  const { current, ours } = inspected;
  if (!current?.active) return subscribeAnew(deps, client, { connection, others: ours });
  await adoptSubscription(deps, client, { connection, current, ours });
  return 'normal';
}

/** Remembers the subscription that sends, whoever made it, and removes the others. */
export async function adoptSubscription(
  deps: SubscriptionDeps,
  client: PipedriveClient,
  found: { connection: Connection; current: WebhookSubscription; ours: WebhookSubscription[] },
): Promise<void> {
  const { connection, current, ours } = found;
  await keepState(deps, connection, { webhook_state: 'ACTIVE', webhook_id: current.id });
  await remove(deps, client, {
    connection,
    ids: ours.filter((webhook) => webhook !== current).map(({ id }) => id),
  });
}

/** A new subscription first, so that nothing is missed, then the others go: banned, or of an old address. */
export async function subscribeAnew(
  deps: SubscriptionDeps,
  client: PipedriveClient,
  { connection, others }: { connection: Connection; others: readonly WebhookSubscription[] },
): Promise<Pace> {
  const pace = await subscribe(deps, client, connection);
  const gone = pace === 'normal' ? others : others.filter(({ active }) => !active);
  await remove(deps, client, { connection, ids: gone.map(({ id }) => id) });
  return pace;
}

/** Takes all of a connection's subscriptions away, also one whose creation was never confirmed. */
export async function removeSubscriptions(
  deps: Pick<SubscriptionDeps, 'log'>,
  client: PipedriveClient,
  connection: Connection,
): Promise<void> {
  const listed = await client.listWebhooks();
  const known = connection.webhook_id === null ? [] : [connection.webhook_id];
  const ids =
    listed.outcome === 'ok'
      ? listed.data.filter(({ name }) => name === nameOf(connection)).map(({ id }) => id)
      : known;
  if (listed.outcome !== 'ok')
    deps.log.warn({ connection: connection.id, outcome: listed.outcome }, 'webhooks not listed');
  await remove(deps, client, { connection, ids });
}

async function remove(
  { log }: Pick<SubscriptionDeps, 'log'>,
  client: PipedriveClient,
  { connection, ids }: { connection: Connection; ids: readonly string[] },
): Promise<void> {
  for (const id of ids) {
    const removed = await client.deleteWebhook(id);
    const isGone =
      removed.outcome === 'ok' || (removed.outcome === 'refused' && removed.status === 404);
    if (isGone) continue;
    const { outcome } = removed;
    log.warn({ connection: connection.id, webhook: id, outcome }, 'webhook not removed');
  }
}

async function subscribe(
  deps: SubscriptionDeps,
  client: PipedriveClient,
  connection: Connection,
): Promise<Pace> {
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
    // the id stays: one made all the same is adopted, and deliveries of the one before are known
    await keepState(deps, connection, { webhook_state: 'FAILED' });
    return paceAfter(created.outcome);
  }
  await keepState(deps, connection, { webhook_state: 'ACTIVE', webhook_id: created.data.id });
  return 'normal';
}

const nameOf = (connection: Connection): string => `Manifold ${connection.id}`;

const addressOf = ({ vault, publicUrl }: SubscriptionDeps, connection: Connection): string =>
  new URL(`/webhooks/${openSecret(vault, connection, 'webhook_path')}`, publicUrl).href;

/** The last deliveries of the subscription before may still come, so its id is kept too. */
async function keepState(
  { db }: SubscriptionDeps,
  connection: Connection,
  state: Partial<Pick<Connection, 'webhook_state' | 'webhook_id'>>,
): Promise<void> {
  const { workspace_id: workspaceId, id, webhook_id: before } = connection;
  const isAnother = state.webhook_id !== undefined && state.webhook_id !== before;
  await withWorkspace(db, workspaceId, async (tx) => {
    await setConnection(tx, id, state);
    if (isAnother && before !== null) await setHealth(tx, id, { previous_id: before });
  });
}
