import type { Thread } from './thread.ts';

/** Too many batches wait; try again later. */
export class EvaluatorBusy extends Error {
  override name = 'EvaluatorBusy';
}

/** A place for one batch at a time, with the thread it keeps. */
export interface Lane {
  thread: Thread | undefined;
  isBusy: boolean;
}

export interface Lanes {
  /** Waits for a free lane; refuses when too many wait, and when all were closed. */
  readonly take: () => Promise<Lane>;
  readonly giveBack: (lane: Lane) => void;
  readonly isClosed: () => boolean;
  readonly close: () => Promise<void>;
}

export const stopped = (): Error => new Error('The evaluator was stopped');

export function createLanes({ size, waiting }: { size: number; waiting: number }): Lanes {
  const lanes: Lane[] = Array.from({ length: size }, () => ({ thread: undefined, isBusy: false }));
  const queue: ((lane: Lane | undefined) => void)[] = [];
  let closed = false;

  return {
    async take() {
      if (closed) throw stopped();
      const free = lanes.find(({ isBusy }) => !isBusy);
      if (free === undefined && queue.length >= waiting) {
        throw new EvaluatorBusy(`${waiting} batches wait to be evaluated`);
      }
      if (free !== undefined) free.isBusy = true;
      const lane = free ?? (await new Promise<Lane | undefined>((resolve) => queue.push(resolve)));
      if (lane === undefined) throw stopped();
      return lane;
    },
    giveBack(lane) {
      const next = queue.shift();
      lane.isBusy = next !== undefined;
      next?.(lane);
    },
    isClosed: () => closed,
    async close() {
      closed = true;
      for (const refuse of queue.splice(0)) refuse(undefined);
      await Promise.all(lanes.map(async ({ thread }) => thread?.stop()));
    },
  };
}
