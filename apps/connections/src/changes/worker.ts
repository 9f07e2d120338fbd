import { randomUUID } from 'node:crypto';
import { acrossWorkspaces, withWorkspace } from '@manifold/database';
import { createLatch } from '@manifold/messaging';
import { applyStretch } from './applying/apply.ts';
import { cancelStretch } from './deciding/cancelling.ts';
import { startForgetting } from './undoing/forgetting.ts';
import { planStretch } from './planning/plan.ts';
import {
  addSpent,
  changeHeldSet,
  type ChangeSet,
  extendSetLease,
  leaseChangeSet,
} from './store.ts';
import { createTeller, type Teller } from './telling/telling.ts';
import { handleError, handleFailure } from './trouble.ts';
import { type ChangeSetDeps, type Stretch, takeUp, type Work } from './work.ts';

const POLL_MS = 250;
const LEASE_MS = 30_000;
/** Sets worked on at once, so that one which waits for Pipedrive does not hold up the others. */
const AT_ONCE = 3;

export interface ChangeSetWorkerOptions extends ChangeSetDeps {
  /** After this long without a sign of life a set is taken from a process. */
  leaseMs?: number;
}

/** Plans, applies and closes change sets, stretch by stretch, for ever; replicas share them by lease. */
export function startChangeSetWorker(options: ChangeSetWorkerOptions): {
  wake: () => void;
  stop: () => Promise<void>;
} {
  const stopping = new AbortController();
  const teller = createTeller();
  const latches = Array.from({ length: AT_ONCE }, () => createLatch(POLL_MS, stopping.signal));
  const finished = latches.map(async (latch) => {
    while (!stopping.signal.aborted) {
      const worked = await workOnce(options, teller, stopping.signal).catch((error: unknown) => {
        options.log.error({ err: error }, 'change sets not worked on, trying again');
        return false;
      });
      if (!worked) await latch.wait();
    }
  });
  const stopForgetting = startForgetting(options);
  return {
    wake: () => {
      for (const latch of latches) latch.set();
    },
    stop: async () => {
      stopping.abort();
      await Promise.all([...finished, stopForgetting()]);
    },
  };
}

async function workOnce(
  options: ChangeSetWorkerOptions,
  teller: Teller,
  signal: AbortSignal,
): Promise<boolean> {
  const { leaseMs = LEASE_MS } = options;
  const now = options.now();
  const until = new Date(now.getTime() + leaseMs);
  const set = await acrossWorkspaces(options.db, (tx) =>
    leaseChangeSet(tx, { owner: randomUUID(), now, until }),
  );
  if (set === undefined) return false;
  const stopHeartbeat = startHeartbeat(options, set, leaseMs);
  try {
    const stretch = await workOn(options, set, signal);
    if (stretch.outcome === 'failed') await handleFailure(options, set, stretch.failure);
    else await layDown({ ...options, teller }, set, stretch);
  } catch (error) {
    await handleError(options, set, error);
  } finally {
    stopHeartbeat();
  }
  return true;
}

async function workOn(
  options: ChangeSetWorkerOptions,
  set: ChangeSet,
  signal: AbortSignal,
): Promise<Stretch> {
  switch (set.state) {
    case 'planning':
      return paidFor(await takeUp(options, set, signal), planStretch);
    case 'applying':
      return paidFor(await takeUp(options, set, signal), applyStretch);
    case 'cancelling':
      return cancelStretch({ deps: options, set });
    case 'open':
    case 'awaiting_approval':
    case 'paused':
    case 'cancelled':
    case 'done':
    case 'failed':
      return { outcome: 'over' };
  }
}

/** Enters what a stretch has read for, also when it failed half-way. */
async function paidFor(work: Work, stretch: (work: Work) => Promise<Stretch>): Promise<Stretch> {
  try {
    return await stretch(work);
  } finally {
    const { deps, set } = work;
    const spent = work.takeSpent();
    if (spent > 0) await withWorkspace(deps.db, set.workspace_id, (tx) => addSpent(tx, set, spent));
  }
}

/** Gives a set back; whoever decided about it meanwhile has taken it already. */
async function layDown(
  { db, now, teller }: ChangeSetWorkerOptions & { teller: Teller },
  set: ChangeSet,
  stretch: Exclude<Stretch, { outcome: 'failed' }>,
): Promise<void> {
  const afterMs = stretch.outcome === 'more' ? stretch.afterMs : 0;
  const change = {
    lease_until: null,
    lease_owner: null,
    not_before: new Date(now().getTime() + afterMs),
  };
  await withWorkspace(db, set.workspace_id, async (tx) => {
    if (!(await changeHeldSet(tx, set, change))) return;
    if (stretch.outcome === 'more') await teller.tellWork(tx, set, now());
    else await teller.tellRest(tx, set, now());
  });
}

function startHeartbeat(
  { db, now, log }: ChangeSetWorkerOptions,
  set: ChangeSet,
  leaseMs: number,
): () => void {
  const timer = setInterval(() => {
    const until = new Date(now().getTime() + leaseMs);
    withWorkspace(db, set.workspace_id, (tx) => extendSetLease(tx, set, until)).catch(
      (error: unknown) => log.warn({ err: error }, 'lease of a change set not extended'),
    );
  }, leaseMs / 3);
  return () => clearInterval(timer);
}
