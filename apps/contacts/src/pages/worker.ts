import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { CountRecords, ReadRecords } from '@manifold/contracts';
import { acrossWorkspaces, withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { ask, askForPage } from '@manifold/messaging';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import type { ReadyMapping } from '../mappings/rules.ts';
import { nextPosition, type Position } from '../runs/rules.ts';
import { extendLease, leaseRun } from '../runs/store.ts';
import { PAGE_SIZE, unsizedObjects } from '../sizes/rules.ts';
import { readyOf } from '../sources/rules.ts';
import { findSource } from '../sources/store.ts';
import type { ReadySource, SyncRun } from '../store.ts';
import { beginRun, type Deps, type Held, releaseRun, setBack, storePage } from './commands.ts';

const POLL_MS = 200;
const RUNS_AT_ONCE = 4;
/** After a crash another worker goes on when this has passed. */
const LEASE_MS = 10_000;

export interface WorkerDeps extends Deps {
  nats: NatsConnection;
  log: Logger;
  /** Records per page; fewer in tests. */
  pageSize?: number;
}

/** Carries out queued and waiting runs, several at once, each by one worker over all replicas. */
export function startSyncWorker(deps: WorkerDeps): () => Promise<void> {
  const stopping = new AbortController();
  const inHand = new Set<Promise<void>>();
  const finished = (async () => {
    while (!stopping.signal.aborted) {
      const held = inHand.size < RUNS_AT_ONCE ? await leaseNext(deps) : undefined;
      if (held) {
        const work = carryOut(deps, held, stopping.signal).finally(() => inHand.delete(work));
        inHand.add(work);
      } else await sleep(POLL_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
    await Promise.all(inHand);
  })();
  return async () => {
    stopping.abort();
    await finished;
  };
}

const leaseEnd = (deps: WorkerDeps): Date => new Date(deps.now().getTime() + LEASE_MS);

async function leaseNext(deps: WorkerDeps): Promise<Held | undefined> {
  const lease = { id: randomUUID(), now: deps.now(), until: leaseEnd(deps) };
  try {
    const run = await acrossWorkspaces(deps.db, (tx) => leaseRun(tx, lease));
    return run && { run, leaseId: lease.id };
  } catch (error) {
    deps.log.error(kindOf(error), 'no run could be taken, trying again');
    return undefined;
  }
}

/** Never throws: what goes wrong becomes a state of the run, or waits until its lease is over. */
async function carryOut(deps: WorkerDeps, held: Held, stopping: AbortSignal): Promise<void> {
  const { run, leaseId } = held;
  const heartbeat = setInterval(() => {
    const lease = { runId: run.id, id: leaseId, until: leaseEnd(deps) };
    withWorkspace(deps.db, run.workspace_id, (tx) =>
      extendLease(tx, run.workspace_id, lease),
    ).catch((error: unknown) =>
      deps.log.warn({ ...kindOf(error), run: run.id }, 'lease not extended'),
    );
  }, LEASE_MS / 4);
  try {
    await readToEnd(deps, held, stopping);
  } catch (error) {
    if (!(error instanceof Refusal))
      deps.log.error({ ...kindOf(error), run: run.id }, 'run interrupted');
    await setBack(deps, held, { error }).catch((failure: unknown) =>
      deps.log.error({ ...kindOf(failure), run: run.id }, 'run left to its lease'),
    );
  } finally {
    clearInterval(heartbeat);
  }
}

/** What failed and where, never its message: those of the database quote the rows they are about. */
function kindOf(error: unknown): { failure: string; at: string[] } {
  if (!(error instanceof Error)) return { failure: 'unknown', at: [] };
  const code = 'code' in error && typeof error.code === 'string' ? ` ${error.code}` : '';
  const lines = (error.stack ?? '').split('\n').filter((line) => line.startsWith('    at '));
  return { failure: `${error.name}${code}`, at: lines.slice(0, 8).map((line) => line.trim()) };
}

async function readToEnd(deps: WorkerDeps, held: Held, stopping: AbortSignal): Promise<void> {
  const reading = await openReading(deps, held.run);
  const run = await beginRun(deps, held, await sizeUp(deps, held.run, reading.source));
  let position: Position | undefined = run && { object: run.object, cursor: run.cursor };
  let ahead = position && readPage(deps, reading, position);
  while (position && ahead) {
    const page = await unlessStopped(ahead, stopping);
    if (page === undefined) return releaseRun(deps, held);
    const { items, end } = page;
    if (end.outcome === 'wait') {
      return setBack(deps, held, { until: new Date(end.until), reason: end.reason });
    }
    const next = nextPosition(position, end.nextCursor);
    // the next page is on its way while this one is stored
    ahead = next && readPage(deps, reading, next);
    ahead?.catch(() => undefined);
    const stored = await storePage(deps, held, {
      position,
      next,
      records: items,
      costTokens: end.costTokens,
    });
    if (stored === undefined) return;
    position = next;
  }
}

/** Undefined when the service stops first: a page may take half a minute. */
async function unlessStopped<Result>(
  work: Promise<Result>,
  stopping: AbortSignal,
): Promise<Result | undefined> {
  const waiting = new AbortController();
  const signal = AbortSignal.any([stopping, waiting.signal]);
  const stopped = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  try {
    return await Promise.race([work, stopped]);
  } finally {
    waiting.abort();
  }
}

interface Reading {
  run: SyncRun;
  source: ReadySource;
  mapping: ReadyMapping;
}

async function openReading(deps: WorkerDeps, run: SyncRun): Promise<Reading> {
  return withWorkspace(deps.db, run.workspace_id, async (tx) => {
    const found = await findSource(tx, run.workspace_id, run.data_source_id);
    const source = found && readyOf(found);
    if (!source) throw new Error(`Run ${run.id} has no data source`);
    const pinned = { mappingId: source.mapping_id, version: run.mapping_version };
    return { run, source, mapping: await deps.mappings.ready(tx, run.workspace_id, pinned) };
  });
}

async function readPage(
  deps: WorkerDeps,
  { run, source, mapping }: Reading,
  { object, cursor }: Position,
) {
  return askForPage(deps.nats, ReadRecords, {
    workspaceId: run.workspace_id,
    connectionId: source.connection_id,
    object,
    fields: mapping.fields[object],
    ...(cursor === null ? {} : { cursor }),
    ...(run.updated_since === null ? {} : { updatedSince: run.updated_since.toISOString() }),
    limit: deps.pageSize ?? PAGE_SIZE,
  });
}

/** How much there is to do, where that is told without a scan; never a reason not to begin. */
async function sizeUp(
  { nats }: WorkerDeps,
  run: SyncRun,
  source: ReadySource,
): Promise<Parameters<typeof beginRun>[2]> {
  if (run.updated_since !== null) return { told: {}, costTokens: 0 };
  const { workspace_id: workspaceId } = run;
  const unknown = { count: null, highestId: null, costTokens: 0 };
  const answers = await Promise.all(
    unsizedObjects(run.sizes).map(async (object) => {
      const question = { workspaceId, connectionId: source.connection_id, object };
      return { object, ...(await ask(nats, CountRecords, question).catch(() => unknown)) };
    }),
  );
  const told = answers.map(({ object, count, highestId = null }) => [object, { count, highestId }]);
  return {
    told: Object.fromEntries(told),
    costTokens: answers.reduce((sum, { costTokens }) => sum + costTokens, 0),
  };
}
