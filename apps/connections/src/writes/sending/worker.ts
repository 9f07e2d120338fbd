import { randomUUID } from 'node:crypto';
import { acrossWorkspaces } from '@manifold/database';
import { createLatch } from '@manifold/messaging';
import type { Lane } from '../../budget/tables.ts';
import type { Step } from '../store.ts';
import type { SendingDeps } from './held.ts';
import { processStep } from './process.ts';
import { extendLeases, leaseSteps } from './store.ts';

const POLL_MS = 250;
const LEASE_MS = 15_000;

export interface WorkerOptions extends SendingDeps {
  /** Steps in hand at once; a quarter of them is kept for the interactive lane. */
  concurrency?: number;
  /** After this long without a sign of life a step is taken from a process. */
  leaseMs?: number;
}

/**
 * Carries out write steps, lane by lane, for ever. Any number of replicas share the work by lease.
 * `wake` ends a wait for work at once; `stop` waits for the steps in hand.
 */
export function startWriteWorker(options: WorkerOptions): {
  wake: () => void;
  stop: () => Promise<void>;
} {
  const { log, concurrency = 12, leaseMs = LEASE_MS } = options;
  const owner = randomUUID();
  const stopping = new AbortController();
  const latch = createLatch(POLL_MS, stopping.signal);
  const inHand = new Map<Step['id'], { lane: Lane; work: Promise<void> }>();

  const take = async (): Promise<number> => {
    const isOther = ({ lane }: { lane: Lane }) => lane !== 'interactive';
    const others = [...inHand.values()].filter(isOther).length;
    const free = concurrency - inHand.size;
    const freeForAll = Math.min(free, concurrency - Math.ceil(concurrency / 4) - others);
    const until = (from: Date) => new Date(from.getTime() + leaseMs);
    const lease = (lanes: readonly Lane[], limit: number) => {
      const now = options.now();
      return acrossWorkspaces(options.db, (tx) =>
        leaseSteps(tx, { lanes, limit, owner, now, until: until(now) }),
      );
    };
    const steps = freeForAll > 0 ? await lease(ALL_LANES, freeForAll) : [];
    const left = free - steps.length;
    if (left > 0 && steps.length === Math.max(0, freeForAll)) {
      steps.push(...(await lease(['interactive'], left)));
    }
    for (const step of steps) {
      const work = processStep(options, step).finally(() => {
        inHand.delete(step.id);
        latch.set();
      });
      inHand.set(step.id, { lane: step.lane, work });
    }
    return steps.length;
  };

  const heartbeat = setInterval(() => {
    const ids = [...inHand.keys()];
    const until = new Date(options.now().getTime() + leaseMs);
    acrossWorkspaces(options.db, (tx) => extendLeases(tx, { owner, ids, until })).catch(
      (error: unknown) => log.warn({ err: error }, 'leases not extended'),
    );
  }, leaseMs / 3);

  const finished = (async () => {
    while (!stopping.signal.aborted) {
      const taken = await take().catch((error: unknown) => {
        log.error({ err: error }, 'write steps not taken, trying again');
        return 0;
      });
      if (taken === 0) await latch.wait();
    }
    await Promise.all([...inHand.values()].map(({ work }) => work));
  })();

  return {
    wake: latch.set,
    stop: async () => {
      stopping.abort();
      await finished;
      clearInterval(heartbeat);
    },
  };
}

const ALL_LANES: readonly Lane[] = ['interactive', 'event', 'bulk'];
