import { type PipedriveRecord, RecordsSynced, SyncStarted } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { publish } from '@manifold/messaging';
import { removeRecord } from '../departures/commands.ts';
import type { Applying } from '../links/commands.ts';
import type { Mappings } from '../mappings/commands.ts';
import { applyRecords } from '../records/commands.ts';
import { endRun, originOf } from '../runs/ending.ts';
import {
  addCounts,
  addSample,
  type Counts,
  decideSetback,
  outcomeCounts,
  type Position,
  reasonOf,
} from '../runs/rules.ts';
import { addPage, addTold, estimateTotal, type Told } from '../sizes/rules.ts';
import { lockRun, updateRun } from '../runs/store.ts';
import { recordSkips } from '../feed/commands.ts';
import { readyOf } from '../sources/rules.ts';
import { findSource } from '../sources/store.ts';
import type { Db, SyncedObject, SyncRun, Tx } from '../store.ts';

export interface Deps {
  db: Db;
  mappings: Mappings;
  now: () => Date;
}

/** A run as its worker holds it. */
export interface Held {
  run: SyncRun;
  leaseId: string;
}

/** Does `work` while the run is still held by this worker and not ended; undefined when it is not. */
async function whileHeld<Result>(
  deps: Deps,
  { run, leaseId }: Held,
  work: (tx: Tx, run: SyncRun) => Promise<Result>,
): Promise<Result | undefined> {
  return withWorkspace(deps.db, run.workspace_id, async (tx) => {
    const current = await lockRun(tx, run.workspace_id, run.id);
    return current?.lease_id === leaseId ? work(tx, current) : undefined;
  });
}

/** Sets a queued or waiting run to work; says so in an event the first time. */
export async function beginRun(
  deps: Deps,
  held: Held,
  counted: { told: Partial<Record<SyncedObject, Told>>; costTokens: number },
): Promise<SyncRun | undefined> {
  return whileHeld(deps, held, async (tx, run) => {
    const now = deps.now();
    const sizes = addTold(run.sizes, counted.told);
    const begun = {
      state: 'RUNNING',
      reason: null,
      started_at: run.started_at ?? now,
      total: estimateTotal(sizes),
      cost_tokens: run.cost_tokens + counted.costTokens,
    } as const;
    const samples = addSample(run.samples, { at: now.getTime(), done: run.done });
    const texts = { samples: JSON.stringify(samples), sizes: JSON.stringify(sizes) };
    const changes = { ...begun, ...texts };
    await updateRun(tx, run.workspace_id, { id: run.id, changes });
    if (run.started_at === null) {
      const payload = { dataSourceId: run.data_source_id, syncRunId: run.id, kind: run.kind };
      await publish(tx, SyncStarted, { origin: originOf(run), key: run.id, payload, now });
    }
    return { ...run, ...begun, samples, sizes };
  });
}

export interface Page {
  /** Where it was read. */
  position: Position;
  /** Where the next one begins; undefined after the last. */
  next: Position | undefined;
  records: readonly PipedriveRecord[];
  costTokens: number;
}

/**
 * Stores one page: records, position, counts and event commit together or not at all. Answers
 * undefined when the run is no longer ours, or not where this page was read.
 */
export async function storePage(deps: Deps, held: Held, page: Page): Promise<'stored' | undefined> {
  return whileHeld(deps, held, async (tx, run) => {
    const { position, next } = page;
    if (run.object !== position.object || run.cursor !== position.cursor) return undefined;
    const now = deps.now();
    const counts = await storeRecords(tx, deps, { run, page, now });
    const sizes = addPage(run.sizes, position.object, {
      ids: page.records.map(({ id }) => id),
      isLast: next?.object !== position.object,
    });
    const done = run.done + page.records.length;
    const advanced = {
      ...run,
      ...next,
      counts,
      done,
      total: next === undefined ? done : estimateTotal(sizes),
      cost_tokens: run.cost_tokens + page.costTokens,
    };
    const samples = addSample(run.samples, { at: now.getTime(), done });
    await updateRun(tx, run.workspace_id, {
      id: run.id,
      changes: {
        object: advanced.object,
        cursor: advanced.cursor,
        counts: JSON.stringify(counts),
        done,
        total: advanced.total,
        sizes: JSON.stringify(sizes),
        cost_tokens: advanced.cost_tokens,
        samples: JSON.stringify(samples),
        attempts: 0,
      },
    });
    const { object } = position;
    const about = { dataSourceId: run.data_source_id, syncRunId: run.id, object };
    const payload = { ...about, done, counts: outcomeCounts(counts) };
    await publish(tx, RecordsSynced, { origin: originOf(run), key: run.id, payload, now });
    if (next === undefined) await endRun(tx, advanced, { state: 'SUCCEEDED', now });
    return 'stored';
  });
}

async function storeRecords(
  tx: Tx,
  deps: Deps,
  { run, page, now }: { run: SyncRun; page: Page; now: Date },
): Promise<Counts> {
  const found = await findSource(tx, run.workspace_id, run.data_source_id);
  const source = found && readyOf(found);
  if (!source) throw new Error(`Run ${run.id} has no data source`);
  const version = run.mapping_version;
  const pinned = { mappingId: source.mapping_id, version };
  const mapping = await deps.mappings.ready(tx, run.workspace_id, pinned);
  const arrival = { via: 'page' } as const;
  const applying: Applying = { source, mapping, object: page.position.object, arrival, now };
  const { gone = [], here = [] } = Object.groupBy(page.records, ({ deleted }) =>
    deleted ? 'gone' : 'here',
  );
  const applied = await applyRecords(tx, applying, here);
  await recordSkips(tx, applying, { applied, run });
  const reasons = applied.flatMap<string>(({ outcome, reason, losses }) => [
    outcome,
    ...(reason ? [reason] : []),
    ...losses,
  ]);
  // a record that moved in the list while it was read stands in one page twice
  reasons.push(...Array.from({ length: here.length - applied.length }, () => 'unchanged'));
  for (const record of gone) {
    const revision = record.updateTime === null ? now.getTime() : Date.parse(record.updateTime);
    const departed = await removeRecord(tx, applying, { pipedriveId: record.id, revision });
    reasons.push(departed ? 'deleted' : 'unchanged');
  }
  return addCounts(run.counts, reasons);
}

/** Keeps a run for later, or ends it; `until` is known when the API budget said when to go on. */
export async function setBack(
  deps: Deps,
  held: Held,
  cause: { error: unknown } | { until: Date; reason: string },
): Promise<void> {
  await whileHeld(deps, held, async (tx, run) => {
    const now = deps.now();
    const setback =
      'error' in cause
        ? decideSetback(cause.error, run.attempts, now)
        : ({ state: 'WAITING', reason: reasonOf(cause.reason), notBefore: cause.until } as const);
    if (setback.state === 'FAILED')
      return endRun(tx, run, { state: 'FAILED', reason: setback.reason, now });
    await updateRun(tx, run.workspace_id, {
      id: run.id,
      changes: {
        state: 'WAITING',
        reason: setback.reason,
        not_before: setback.notBefore,
        attempts: 'error' in cause ? run.attempts + 1 : run.attempts,
        lease_id: null,
        lease_until: null,
      },
    });
  });
}

/** Lets go of a run so that another worker takes it at once; for shutting down. */
export async function releaseRun(deps: Deps, held: Held): Promise<void> {
  await whileHeld(deps, held, (tx, run) =>
    updateRun(tx, run.workspace_id, { id: run.id, changes: { lease_id: null, lease_until: null } }),
  );
}
