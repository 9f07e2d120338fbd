import { withWorkspace } from '@manifold/database';
import type { PipedriveClient, WebhookSubscription } from '@manifold/pipedrive';
import { findConnection, lockConnection } from '../../accounts/store.ts';
import type { Connection } from '../../accounts/tables.ts';
import { setSweepDue } from '../../registry/store.ts';
import type { Tx } from '../../store.ts';
import { changeAlone } from '../leases/commands.ts';
import { type Pace, paceAfter } from '../rules.ts';
import {
  adoptSubscription,
  inspectSubscriptions,
  type SubscriptionDeps,
  subscribeAnew,
} from '../subscription.ts';
import type { WebhookHealth } from '../tables.ts';
import {
  BAN_MS,
  decideHealth,
  type HealthState,
  isNews,
  mayHaveLost,
  needsRepair,
  nextCheck,
  OLD_SECRET_MS,
} from './rules.ts';
import { findHealth, setHealth } from './store.ts';

export interface HealthDeps extends SubscriptionDeps {
  now: () => Date;
  /** How often a subscription that works is looked at; each look costs 10 tokens. */
  checkEveryMs: number;
}

/** Looked at again when whoever changes the subscription now is done. */
const BUSY_MS = 10_000;

interface Seen {
  connection: Connection;
  health: WebhookHealth;
}

/** Looks at a connection's subscription, repairs it, and has what may have been lost read again. */
export async function checkSubscription(
  deps: HealthDeps,
  client: PipedriveClient,
  watched: Pick<WebhookHealth, 'workspace_id' | 'id'>,
): Promise<void> {
  const { workspace_id: workspaceId, id } = watched;
  const scoped = <Result>(work: (tx: Tx) => Promise<Result>) =>
    withWorkspace(deps.db, workspaceId, work);
  const done = await changeAlone(deps.db, watched, async () => {
    // whoever was at it before may have changed what it is
    const [connection, health] = await scoped(
      async (tx) => [await findConnection(tx, id), await findHealth(tx, id)] as const,
    );
    if (connection?.status === 'ACTIVE' && health !== undefined)
      await checkAlone(deps, client, { connection, health });
  });
  if (done === 'busy') {
    const due_at = new Date(deps.now().getTime() + BUSY_MS);
    await scoped((tx) => setHealth(tx, id, { due_at }));
  }
}

async function checkAlone(deps: HealthDeps, client: PipedriveClient, seen: Seen): Promise<void> {
  const { connection, health } = seen;
  const inspected = await inspectSubscriptions(deps, client, connection);
  if (inspected.outcome !== 'ok') return keep(deps, seen, { pace: paceAfter(inspected.outcome) });
  const { current, ours } = inspected;
  const state = decideHealth(current);
  const renewal = await repair(deps, client, { ...seen, state, current, ours });
  const lastDeliveryAt = dateOf(current?.lastDeliveryTime);
  const isLost = mayHaveLost(state) && isNews(state, { lastDeliveryAt }, health);
  if (isLost) {
    const removeReason = current?.removeReason?.slice(0, 200);
    deps.log.warn({ connection: connection.id, state, removeReason }, 'webhooks failed');
  }
  const now = deps.now();
  const isRenewed = renewal === 'normal';
  return keep(deps, seen, {
    pace: renewal ?? (isLost ? 'soon' : 'normal'),
    isLost,
    isRenewed,
    health: {
      state: isRenewed ? 'HEALTHY' : state,
      last_delivery_at: lastDeliveryAt ?? health.last_delivery_at,
      last_status: current?.lastHttpStatus ?? null,
      banned_until:
        state === 'BANNED' && !isRenewed
          ? (health.banned_until ?? new Date(now.getTime() + BAN_MS))
          : null,
      ...(isRenewed && needsRepair(state) ? { repaired_at: now } : {}),
    },
  });
}

/** Makes it anew where that is needed, and says how that went; else keeps what Pipedrive has. */
async function repair(
  deps: HealthDeps,
  client: PipedriveClient,
  found: Seen & {
    state: HealthState;
    current: WebhookSubscription | undefined;
    ours: WebhookSubscription[];
  },
): Promise<Pace | undefined> {
  const { connection, health, state, current, ours } = found;
  if (needsRepair(state) || health.rotate_at !== null)
    return subscribeAnew(deps, client, { connection, others: ours });
  if (current !== undefined) await adoptSubscription(deps, client, { connection, current, ours });
  return undefined;
}

const dateOf = (text: string | null | undefined): Date | undefined => {
  const date = text == null ? undefined : new Date(text.replace(/^(\S+) (\S+)$/, '$1T$2Z'));
  return date === undefined || Number.isNaN(date.getTime()) ? undefined : date;
};

async function keep(
  deps: HealthDeps,
  { connection, health: seen }: Seen,
  found: { pace: Pace; isLost?: boolean; isRenewed?: boolean; health?: Partial<WebhookHealth> },
): Promise<void> {
  const now = deps.now();
  const { workspace_id: workspaceId, id: connectionId } = connection;
  const dueAt = nextCheck(now, { pace: found.pace, everyMs: deps.checkEveryMs });
  await withWorkspace(deps.db, workspaceId, async (tx) => {
    // a new secret is asked for under the same lock
    if ((await lockConnection(tx, connectionId)) === undefined) return;
    const asked = (await findHealth(tx, connectionId))?.rotate_at ?? null;
    const isAskedSince = asked !== null && asked.getTime() !== seen.rotate_at?.getTime();
    if (found.isLost === true) await setSweepDue(tx, { workspaceId, connectionId, now });
    await setHealth(tx, connectionId, {
      ...(found.health === undefined ? {} : { ...found.health, checked_at: now }),
      ...(found.isRenewed === true && seen.rotate_at !== null && !isAskedSince
        ? { rotate_at: null, previous_until: new Date(now.getTime() + OLD_SECRET_MS) }
        : {}),
      due_at: isAskedSince ? now : dueAt,
    });
  });
}
