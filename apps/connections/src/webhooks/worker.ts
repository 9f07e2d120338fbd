import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionId, WorkspaceId } from '@manifold/contracts';
import { acrossWorkspaces, withWorkspace } from '@manifold/database';
import { createLatch } from '@manifold/messaging';
import type { Logger } from 'pino';
import { findConnection } from '../accounts/store.ts';
import { findCatalogues } from '../fields/store.ts';
import { lockRegistries } from '../registry/store.ts';
import type { Db, Tx } from '../store.ts';
import { isPassing, KEEP_MS, MOST_ATTEMPTS, passedBy, retryAt } from './rules.ts';
import {
  listConnectionsWithReceipts,
  listReceived,
  postponeReceipt,
  removeOldReceipts,
  tryLockReceipts,
} from './store.ts';
import type { TellingDeps } from './telling.ts';
import { parkReceipt, understandReceipt } from './understand.ts';

const POLL_MS = 250;
const BATCH = 20;
const PURGE_EVERY_MS = 3_600_000;
const PURGE_BATCH = 1_000;

export interface WorkerDeps extends TellingDeps {
  db: Db;
  log: Logger;
}

interface Queue {
  workspace_id: WorkspaceId;
  connection_id: ConnectionId;
}

/** Understands deliveries as they come, those of one connection in their order, over all replicas. */
export function startWebhookWorker(deps: WorkerDeps): {
  wake: () => void;
  stop: () => Promise<void>;
} {
  const stopping = new AbortController();
  const latch = createLatch(POLL_MS, stopping.signal);
  const finished = (async () => {
    while (!stopping.signal.aborted) {
      const done = await understandWaiting(deps).catch(reportTo(deps, 'webhooks not understood'));
      if (!done) await latch.wait();
    }
  })();
  const purged = (async () => {
    while (!stopping.signal.aborted) {
      await purgeReceipts(deps).catch(reportTo(deps, 'old webhooks not removed'));
      await sleep(PURGE_EVERY_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  })();
  return {
    wake: latch.set,
    stop: async () => {
      stopping.abort();
      await Promise.all([finished, purged]);
    },
  };
}

const reportTo =
  ({ log }: WorkerDeps, message: string) =>
  (error: unknown): void =>
    log.error({ err: error }, message);

/** Understands a batch of every connection that has some; returns how many deliveries there were. */
async function understandWaiting(deps: WorkerDeps): Promise<number> {
  const queues = await acrossWorkspaces(deps.db, (tx) =>
    listConnectionsWithReceipts(tx, deps.now()),
  );
  let done = 0;
  for (const queue of queues) done += await understandQueue(deps, queue);
  return done;
}

/** All of a batch in one transaction; when that fails, its first alone, so that one cannot hold the rest. */
async function understandQueue(deps: WorkerDeps, queue: Queue): Promise<number> {
  try {
    return await understandBatch(deps, queue, BATCH);
  } catch {
    return understandBatch(deps, queue, 1).catch((error: unknown) =>
      postponeFirst(deps, queue, error),
    );
  }
}

async function understandBatch(deps: WorkerDeps, queue: Queue, limit: number): Promise<number> {
  const { workspace_id: workspaceId, connection_id: connectionId } = queue;
  return withWorkspace(deps.db, workspaceId, async (tx) => {
    const connection = await findConnection(tx, connectionId);
    if (connection === undefined || !(await tryLockReceipts(tx, connection))) return 0;
    // before anything of a record is locked, as whoever reads the company does it
    await lockRegistries(tx, connection);
    const receipts = await listReceived(tx, { workspaceId, connectionId, now: deps.now(), limit });
    const catalogues = await findCatalogues(tx, connectionId);
    for (const receipt of receipts) {
      await understandReceipt(deps, tx, { receipt, connection, catalogues });
    }
    return receipts.length;
  });
}

async function postponeFirst(deps: WorkerDeps, queue: Queue, error: unknown): Promise<number> {
  const { workspace_id: workspaceId, connection_id: connectionId } = queue;
  const now = deps.now();
  await withWorkspace(deps.db, workspaceId, async (tx: Tx) => {
    const connection = await findConnection(tx, connectionId);
    if (connection === undefined || !(await tryLockReceipts(tx, connection))) return;
    const [receipt] = await listReceived(tx, { workspaceId, connectionId, now, limit: 1 });
    if (receipt === undefined) return;
    // what passes by itself does not count
    const passes = isPassing(error);
    const attempts = passes ? receipt.attempts : receipt.attempts + 1;
    deps.log.warn({ err: error, receipt: receipt.id, attempts }, 'webhook not understood');
    if (attempts < MOST_ATTEMPTS) {
      const notBefore = passes ? passedBy(now) : retryAt(attempts, now);
      return postponeReceipt(tx, receipt, { attempts, notBefore });
    }
    await parkReceipt(tx, receipt, { reason: 'handler_failed', now });
  });
  return 1;
}

/** Removes what is older than it may be kept; returns how many deliveries went. */
export async function purgeReceipts({ db, now }: Pick<WorkerDeps, 'db' | 'now'>): Promise<number> {
  const before = new Date(now().getTime() - KEEP_MS);
  let removed = 0;
  for (;;) {
    const count = await acrossWorkspaces(db, (tx) => removeOldReceipts(tx, before, PURGE_BATCH));
    removed += count;
    if (count < PURGE_BATCH) return removed;
  }
}
