import { Worker } from 'node:worker_threads';
import type { Outcome } from '../compile.ts';
import type { FailureCode } from '../failures.ts';
import { BEGUN, type Said, type Slice } from './slice.ts';

/** A thread that evaluates slices, one at a time. */
export interface Thread {
  readonly run: (slice: Slice, options: RunOptions) => Promise<Ended>;
  readonly stop: () => Promise<void>;
}

export interface ThreadOptions {
  readonly memoryMb: number;
  /** The thread's program, where it is not beside this one. */
  readonly script?: URL | undefined;
}

interface RunOptions {
  readonly hear: (outcomes: readonly Outcome[]) => void;
  /** How long one cell may take before the thread is ended. */
  readonly stallMs: number;
  /** When the whole slice has to end. */
  readonly deadline: number;
}

/** A thread that has died is not used again; `cell` is the one it was at, if it got to one. */
export type Ended =
  | { readonly outcome: 'done' }
  | { readonly outcome: 'died'; readonly code: FailureCode; readonly cell: number | undefined }
  | { readonly outcome: 'late' }
  | { readonly outcome: 'stopped' };

const LOOK_EVERY_MS = 200;
const STACK_MB = 4;

export function startThread({ memoryMb, script }: ThreadOptions): Thread {
  const progress = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(script ?? new URL('./worker.ts', import.meta.url), {
    workerData: progress.buffer,
    resourceLimits: { maxOldGenerationSizeMb: memoryMb, stackSizeMb: STACK_MB },
    // nothing of the process's environment or options reaches an expression
    env: { TZ: 'UTC' },
    execArgv: [],
  });
  const ready = new Promise<void>((resolve) => worker.once('message', () => resolve()));
  // an error is always followed by the exit that `run` waits for
  let cause: FailureCode | 'late' | 'stopped' = 'failed';
  worker.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') cause = 'too_large';
  });
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));

  const end = (because: typeof cause): Promise<number> => {
    cause = because;
    return worker.terminate();
  };
  const died = exited.then((): Ended => {
    if (cause === 'late' || cause === 'stopped') return { outcome: cause };
    const begun = Atomics.load(progress, BEGUN);
    return { outcome: 'died', code: cause, cell: begun === 0 ? undefined : begun - 1 };
  });

  const run = async (slice: Slice, { hear, stallMs, deadline }: RunOptions): Promise<Ended> => {
    await Promise.race([ready, died]);
    Atomics.store(progress, BEGUN, 0);
    const done = new Promise<Ended>((resolve) => {
      worker.on('message', ({ outcomes, isDone }: Said) => {
        hear(outcomes);
        if (isDone) resolve({ outcome: 'done' });
      });
    });
    const isStalled = createWatch(progress, stallMs);
    const timer = setInterval(() => {
      if (Date.now() > deadline) void end('late');
      else if (isStalled()) void end('too_expensive');
    }, LOOK_EVERY_MS);
    worker.postMessage(slice);
    const ended = await Promise.race([done, died]);
    clearInterval(timer);
    worker.removeAllListeners('message');
    return ended;
  };

  return { run, stop: async () => void (await end('stopped')) };
}

/** Tells whether no cell was begun for some time. */
function createWatch(progress: Int32Array, stallMs: number): () => boolean {
  let [last, since] = [-1, performance.now()];
  return () => {
    const begun = Atomics.load(progress, BEGUN);
    if (begun !== last) [last, since] = [begun, performance.now()];
    return performance.now() - since >= stallMs;
  };
}
