import { acrossWorkspaces } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { createLatch } from '@manifold/messaging';
import type { PipedriveAccess } from '../../accounts/calling/client.ts';
import type { WebhookHealth } from '../tables.ts';
import { checkSubscription, type HealthDeps } from './check.ts';
import { forgetConnections, leaseHealth, watchConnections } from './store.ts';

const POLL_MS = 1_000;
const BATCH = 5;
const LEASE_MS = 240_000;
/** New connections are found, and removed ones forgotten, once in so many rounds. */
const ROUNDS = 30;

export interface HealthWorkerDeps extends HealthDeps {
  access: PipedriveAccess;
}

/** Looks after the subscriptions of all connections, whatever replicas there are. */
export function startHealthWorker(deps: HealthWorkerDeps): {
  wake: () => void;
  stop: () => Promise<void>;
} {
  const stopping = new AbortController();
  const latch = createLatch(POLL_MS, stopping.signal);
  const finished = (async () => {
    for (let round = 0; !stopping.signal.aborted; round += 1) {
      const isNewcomersTurn = round % ROUNDS === 0;
      const done = await checkDue(deps, { isNewcomersTurn }).catch((error: unknown) => {
        deps.log.error({ err: error }, 'webhook subscriptions not looked at');
        return 0;
      });
      if (done === 0) await latch.wait();
    }
  })();
  return {
    wake: latch.set,
    stop: async () => {
      stopping.abort();
      await finished;
    },
  };
}

/** Looks at the subscriptions that are due; returns how many there were. */
async function checkDue(
  deps: HealthWorkerDeps,
  { isNewcomersTurn }: { isNewcomersTurn: boolean },
): Promise<number> {
  const now = deps.now();
  const due = await acrossWorkspaces(deps.db, async (tx) => {
    if (isNewcomersTurn) {
      await forgetConnections(tx);
      await watchConnections(tx, new Date(now.getTime() + deps.checkEveryMs));
    }
    const until = new Date(now.getTime() + LEASE_MS);
    return leaseHealth(tx, { now, until, limit: BATCH });
  });
  // side by side: one slow company does not hold up the others
  await Promise.all(
    due.map((health) =>
      checkOne(deps, health).catch((error: unknown) => {
        // the lease runs out and it is tried again
        const reason = error instanceof Refusal ? error.detail.reason : undefined;
        deps.log.warn(
          { connection: health.id, reason, err: reason ? undefined : error },
          'webhook subscription not looked at',
        );
      }),
    ),
  );
  return due.length;
}

async function checkOne(deps: HealthWorkerDeps, health: WebhookHealth): Promise<void> {
  const { workspace_id: workspaceId, id } = health;
  const use = { lane: 'event', feature: 'webhook_upkeep' } as const;
  const client = await deps.access.clientFor(workspaceId, id, use);
  await checkSubscription(deps, client, health);
}
