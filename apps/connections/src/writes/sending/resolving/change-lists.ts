import type { PipedriveRecord } from '@manifold/contracts';
import type { Failure } from '@manifold/pipedrive';

/** What changed since a time; undefined when that is more than can be looked through. */
export type Listed =
  | { outcome: 'ok'; records: readonly PipedriveRecord[] }
  | { outcome: 'too_many' }
  | { outcome: 'failed'; failure: Failure };

interface Reading {
  startedAt: number;
  since: number;
  isDone: boolean;
  listed: Promise<Listed>;
}

export interface ChangeListNeed {
  /** Everything that shares a list: connection and object. */
  key: string;
  /** The list must have begun no earlier than this, */
  notBefore: Date;
  /** and reach back this far. */
  since: Date;
}

export interface ChangeLists {
  read: (need: ChangeListNeed, list: (since: Date) => Promise<Listed>) => Promise<Listed>;
  /** Lets go of lists nobody will want any more. */
  forgetOld: () => void;
}

/** A list serves whoever comes this long after it was begun. */
const KEEP_MS = 30_000;
/** Steps that come a little later were sent a little earlier, now and then. */
const MARGIN_MS = 10_000;

/** Reads lists of changes, each for everybody who waits for one like it. */
export function createChangeLists(now: () => Date): ChangeLists {
  const readings = new Map<string, Reading>();
  const waiting = new Map<string, Set<ChangeListNeed>>();
  const isOld = (reading: Reading) => Number(now()) - reading.startedAt > KEEP_MS;
  const fits = (reading: Reading, need: ChangeListNeed) =>
    !isOld(reading) &&
    reading.startedAt >= Number(need.notBefore) &&
    reading.since <= Number(need.since);

  const start = (need: ChangeListNeed, list: (since: Date) => Promise<Listed>): Reading => {
    const wanted = [...(waiting.get(need.key) ?? [need])].map(({ since }) => Number(since));
    const since = Math.min(...wanted) - MARGIN_MS;
    const reading = { startedAt: Number(now()), since, isDone: false };
    const end = () => void (started.isDone = true);
    // what failed for one is tried again by the next
    const forget = () => {
      end();
      if (readings.get(need.key) === started) readings.delete(need.key);
    };
    const listed = list(new Date(since));
    const started: Reading = { ...reading, listed };
    void listed.then(({ outcome }) => (outcome === 'failed' ? forget() : end()), forget);
    readings.set(need.key, started);
    return started;
  };

  const read: ChangeLists['read'] = async (need, list) => {
    const others = waiting.get(need.key) ?? new Set();
    waiting.set(need.key, others.add(need));
    try {
      for (;;) {
        const current = readings.get(need.key);
        const isShared = current !== undefined && fits(current, need);
        if (!isShared && current?.isDone === false) {
          await current.listed.catch(() => undefined);
          continue;
        }
        const reading = isShared ? current : start(need, list);
        return await reading.listed;
      }
    } finally {
      others.delete(need);
      if (others.size === 0) waiting.delete(need.key);
    }
  };
  const forgetOld = () => {
    for (const [key, reading] of readings) {
      if (reading.isDone && isOld(reading)) readings.delete(key);
    }
  };
  return { read, forgetOld };
}
