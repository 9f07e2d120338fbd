import { randomUUID } from 'node:crypto';
import { acrossWorkspaces } from '@manifold/database';
import { createLatch } from '@manifold/messaging';
import type { Lane } from '../../budget/tables.ts';
import type { Step } from '../store.ts';
import { createChangeLists } from './resolving/change-lists.ts';
import type { SendingDeps } from './held.ts';
import { processStep } from './process.ts';
import { extendLeases, leaseSteps } from './leasing/store.ts';

const POLL_MS = 250;
const LEASE_MS = 15_000;
/** At a quarter of a second per call this is more than the burst limit of the smallest plan allows. */
const CONCURRENCY = 24;

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
export function startWriteWorker(given: WorkerOptions): {
  wake: () => void;
  stop: () => Promise<void>;
} {
  const lists = createChangeLists(given.now);
  const options = { ...given, lists };
  const stopping = new AbortController();
  const latch = createLatch(POLL_MS, stopping.signal);
  const owner = randomUUID();
  const inHand: InHand = new Map();
  const stopHeartbeat = startHeartbeat(options, { owner, inHand });
  const finished = (async () => {
    while (!stopping.signal.aborted) {
      const steps = await takeSteps(options, { owner, inHand }).catch((error: unknown) => {
        options.log.error({ err: error }, 'write steps not taken, trying again');
        return [];
      });
      for (const step of steps) {
        const work = processStep(options, step).finally(() => {
          inHand.delete(step.id);
          latch.set();
        });
        inHand.set(step.id, { step, work });
      }
      // either there is no room, or nothing more is due
      await latch.wait();
    }
    await Promise.all([...inHand.values()].map(({ work }) => work));
  })();
  const stop = async () => {
    stopping.abort();
    await finished;
    stopHeartbeat();
  };
  return { wake: latch.set, stop };
}

type InHand = Map<Step['id'], { step: Step; work: Promise<void> }>;
interface Holding {
  owner: string;
  inHand: InHand;
}

const ALL_LANES: readonly Lane[] = ['interactive', 'event', 'bulk'];

/** As many steps as there is room for; the last quarter of the room is for people only. */
async function takeSteps(options: WorkerOptions, { owner, inHand }: Holding): Promise<Step[]> {
  const { concurrency = CONCURRENCY, leaseMs = LEASE_MS } = options;
  const lease = (lanes: readonly Lane[], limit: number) => {
    const now = options.now();
    const until = new Date(now.getTime() + leaseMs);
    return acrossWorkspaces(options.db, (tx) =>
      leaseSteps(tx, { lanes, limit, owner, now, until }),
    );
  };
  const others = [...inHand.values()].filter(({ step }) => step.lane !== 'interactive').length;
  const free = concurrency - inHand.size;
  const freeForAll = Math.max(0, Math.min(free, concurrency - Math.ceil(concurrency / 4) - others));
  const steps = freeForAll > 0 ? await lease(ALL_LANES, freeForAll) : [];
  const left = free - steps.length;
  if (left <= 0 || steps.length < freeForAll) return steps;
  return [...steps, ...(await lease(['interactive'], left))];
}

/** Keeps what this process works on from being taken for abandoned. */
function startHeartbeat(options: WorkerOptions, { owner, inHand }: Holding): () => void {
  const { leaseMs = LEASE_MS } = options;
  const timer = setInterval(() => {
    options.lists?.forgetOld();
    const until = new Date(options.now().getTime() + leaseMs);
    acrossWorkspaces(options.db, (tx) =>
      extendLeases(tx, { owner, steps: [...inHand.values()].map(({ step }) => step), until }),
    ).catch((error: unknown) => options.log.warn({ err: error }, 'leases not extended'));
  }, leaseMs / 3);
  return () => clearInterval(timer);
}
