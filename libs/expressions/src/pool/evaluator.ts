import type { Outcome } from '../compile.ts';
import { type FailureCode, failure } from '../failures.ts';
import type { Variables } from '../schema.ts';
import { cut } from './cutting.ts';
import { createLanes, type Lane, stopped } from './lanes.ts';
import type { BatchExpression, BatchRecord, Slice } from './slice.ts';
import { startThread, type ThreadOptions } from './thread.ts';

/** Every expression for every record. */
export interface Batch {
  readonly variables: Variables;
  readonly expressions: readonly BatchExpression[];
  readonly records: readonly BatchRecord[];
}

export interface EvaluatorOptions {
  /** How many batches are evaluated at once, each in a thread of its own. */
  readonly size?: number;
  /** Heap of one thread; records and results of a slice have to fit. */
  readonly memoryMb?: number;
  /** How long one expression may keep a thread before both are ended. */
  readonly stallMs?: number;
  /** How long a batch may take; records that were not reached are `timed_out`. */
  readonly batchMs?: number;
  /** How many batches may wait for a thread. */
  readonly waiting?: number;
  /** The program of a thread, for a bundle that puts it elsewhere. */
  readonly script?: URL | undefined;
}

export interface Evaluator {
  /** One row per record, one outcome per expression; an expression that fails harms no other. */
  readonly evaluate: (batch: Batch) => Promise<Outcome[][]>;
  readonly stop: () => Promise<void>;
}

/** Starts threads in which expressions run out of the way of everything else. */
export function startEvaluator(options: EvaluatorOptions = {}): Evaluator {
  const { size = 1, memoryMb = 64, stallMs = 5_000, batchMs = 60_000, waiting = 100 } = options;
  const lanes = createLanes({ size, waiting });
  const threads: ThreadOptions = { memoryMb, script: options.script };

  const evaluateIn = async (lane: Lane, batch: Batch): Promise<Outcome[][]> => {
    const { variables, expressions, records } = batch;
    const { isClosed } = lanes;
    const limits = { stallMs, deadline: Date.now() + batchMs, threads, isClosed };
    const rows: Outcome[][] = [];
    for (const part of cut(records)) {
      const slice = { variables, expressions, records: part.records };
      const outcomes = await runSlice(lane, slice, limits);
      if (isClosed()) throw stopped();
      rows.push(...part.arrange(outcomes, expressions.length));
    }
    return rows;
  };

  return {
    async evaluate(batch) {
      if (batch.expressions.length === 0) return batch.records.map(() => []);
      const lane = await lanes.take();
      try {
        return await evaluateIn(lane, batch);
      } finally {
        lanes.giveBack(lane);
      }
    },
    stop: lanes.close,
  };
}

interface SliceOptions {
  readonly stallMs: number;
  readonly deadline: number;
  readonly threads: ThreadOptions;
  readonly isClosed: () => boolean;
}

/** All cells of one slice, with a new thread after each that died. */
async function runSlice(
  lane: Lane,
  slice: Pick<Slice, 'variables' | 'expressions' | 'records'>,
  { stallMs, deadline, threads, isClosed }: SliceOptions,
): Promise<Outcome[]> {
  const cells = slice.records.length * slice.expressions.length;
  const outcomes: Outcome[] = [];
  const skipped = new Map<number, FailureCode>();
  const fillWith = (code: FailureCode): void => {
    while (outcomes.length < cells) outcomes.push(failure(code));
  };
  while (outcomes.length < cells && !isClosed()) {
    lane.thread ??= startThread(threads);
    const ended = await lane.thread.run(
      { ...slice, from: outcomes.length, skipped },
      { hear: (more) => outcomes.push(...more), stallMs, deadline },
    );
    if (ended.outcome === 'done') break;
    lane.thread = undefined;
    if (ended.outcome === 'late') fillWith('timed_out');
    else if (ended.outcome === 'stopped' || ended.cell === undefined) fillWith('failed');
    else skipped.set(ended.cell, ended.code);
  }
  return outcomes;
}
