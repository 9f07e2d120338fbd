import { ReasonCode } from '@manifold/contracts';
import { Refusal } from '@manifold/errors';
import type { RunState, Sample, SyncedObject, SyncRun } from '../store.ts';

/** Where the next page of a run begins. */
export type Position = Pick<SyncRun, 'object' | 'cursor'>;

/** Organizations first, so that persons find their accounts. */
const ORDER: readonly SyncedObject[] = ['organization', 'person'];
export const FIRST_POSITION: Position = { object: 'organization', cursor: null };

/** Undefined: that was the last page. */
export function nextPosition(
  { object }: Position,
  nextCursor: string | null,
): Position | undefined {
  if (nextCursor !== null) return { object, cursor: nextCursor };
  const next = ORDER[ORDER.indexOf(object) + 1];
  return next === undefined ? undefined : { object: next, cursor: null };
}

export const isActive = (state: RunState): boolean =>
  state === 'QUEUED' || state === 'RUNNING' || state === 'WAITING';

/** Changes that happened while the last run read are read again. */
const OVERLAP_MS = 120_000;

/** A first run reads everything, and so does one with a new mapping; others read what changed since. */
export function decideKind(
  last: Pick<SyncRun, 'mapping_version' | 'started_at'> | undefined,
  mappingVersion: number,
): Pick<SyncRun, 'kind' | 'updated_since'> {
  if (!last?.started_at || last.mapping_version !== mappingVersion) {
    return { kind: 'INITIAL', updated_since: null };
  }
  const since = Math.floor((last.started_at.getTime() - OVERLAP_MS) / 1_000) * 1_000;
  return { kind: 'INCREMENTAL', updated_since: new Date(since) };
}

const WINDOW_MS = 10_000;

/** Keeps the last ten seconds, and the sample before them so that slow pages have a rate too. */
export function addSample(samples: readonly Sample[], sample: Sample): Sample[] {
  const recent = samples.filter(({ at }) => sample.at - at <= WINDOW_MS);
  const kept = recent.length > 0 ? recent : samples.slice(-1);
  return [...kept, sample].slice(-50);
}

export interface Progress {
  done: number;
  total: number | null;
  ratePerSecond: number | null;
  remainingSeconds: number | null;
}

export function progressOf(run: Pick<SyncRun, 'done' | 'total' | 'samples' | 'state'>): Progress {
  const total = run.total === null ? null : Math.max(run.total, run.done);
  if (!isActive(run.state)) {
    return {
      done: run.done,
      total,
      ratePerSecond: null,
      remainingSeconds: run.state === 'SUCCEEDED' ? 0 : null,
    };
  }
  const ratePerSecond = run.state === 'RUNNING' ? rateOf(run.samples) : null;
  const remainingSeconds =
    total === null || ratePerSecond === null || ratePerSecond === 0
      ? null
      : Math.ceil((total - run.done) / ratePerSecond);
  return { done: run.done, total, ratePerSecond, remainingSeconds };
}

function rateOf(samples: readonly Sample[]): number | null {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last || last.at <= first.at) return null;
  return Math.round((10_000 * (last.done - first.done)) / (last.at - first.at)) / 10;
}

export type Counts = Record<string, number>;

/** The counts every event carries; others are reason codes of skips and losses. */
const OUTCOMES = ['created', 'updated', 'unchanged', 'deleted', 'skipped'] as const;

export function addCounts(counts: Counts, added: Iterable<string>): Counts {
  const sum = { ...counts };
  for (const reason of added) sum[reason] = (sum[reason] ?? 0) + 1;
  return sum;
}

export const outcomeCounts = (counts: Counts): Record<(typeof OUTCOMES)[number], number> => ({
  created: counts['created'] ?? 0,
  updated: counts['updated'] ?? 0,
  unchanged: counts['unchanged'] ?? 0,
  deleted: counts['deleted'] ?? 0,
  skipped: counts['skipped'] ?? 0,
});

const PAUSES_MS = [1_000, 2_000, 5_000, 10_000, 30_000];
/** A page that can never be stored is given up on; another service away is waited for, however long. */
const MAX_FAILURES = 8;

export type Setback =
  | { state: 'WAITING'; reason: ReasonCode; notBefore: Date }
  | { state: 'FAILED'; reason: ReasonCode };

/** What a failure means for a run: most pass, so it waits and goes on by itself. */
export function decideSetback(error: unknown, attempts: number, now: Date): Setback {
  const pause = PAUSES_MS[Math.min(attempts, PAUSES_MS.length - 1)] ?? 30_000;
  const waiting = (reason: ReasonCode): Setback => ({
    state: 'WAITING',
    reason,
    notBefore: new Date(now.getTime() + pause),
  });
  if (!(error instanceof Refusal)) {
    return attempts < MAX_FAILURES
      ? waiting('handler_failed')
      : { state: 'FAILED', reason: 'handler_failed' };
  }
  const reason = reasonOf(error.detail.reason);
  switch (error.kind) {
    case 'unavailable':
    case 'limited':
    case 'precondition':
      return waiting(reason);
    case 'invalid':
    case 'unauthenticated':
    case 'forbidden':
    case 'not_found':
    case 'conflict':
      return { state: 'FAILED', reason };
  }
}

export function reasonOf(code: string): ReasonCode {
  const known = ReasonCode.safeParse(code);
  return known.success ? known.data : 'service_unavailable';
}
