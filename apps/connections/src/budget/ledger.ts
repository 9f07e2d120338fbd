import type { Logger } from 'pino';
import { decidePause } from './answers/rules.ts';
import type { Db } from '../store.ts';
import type { FinishedCall } from './commands.ts';
import { enterCalls, type Entry, groupCalls } from './entering.ts';
import type { Admission, BudgetPlan } from './rules.ts';

const FLUSH_MS = 200;
const MOST_AT_ONCE = 200;
/** More than are made while the database is away: nothing is called without it. */
const MOST_KEPT = 5_000;

export interface Ledger {
  /** Enters a call soon, or at once when it tells to stop. */
  record: (call: FinishedCall) => Promise<void>;
  /** Until when nothing is called, by an answer that told to stop and could not be entered. */
  restOf: (call: Pick<FinishedCall, 'credential' | 'companyId'>) => Stop | undefined;
  /** Enters what is left. */
  stop: () => Promise<void>;
}

type Stop = Extract<Admission, { admitted: false }>;

interface LedgerDeps {
  db: Db;
  plan: BudgetPlan;
  now: () => Date;
  log: Logger;
}

/**
 * Enters finished calls in the ledger, many in one transaction. A process that is killed loses the
 * rows of the last 200 ms and no tokens: what was reserved for these calls counts as spent later.
 */
export function createLedger(deps: LedgerDeps): Ledger {
  const entries = new Set<Entry>();
  const stops = new Set<Entry>();
  const remove = (entry: Entry) => {
    entries.delete(entry);
    stops.delete(entry);
  };
  let timer: NodeJS.Timeout | undefined;
  let entering: Promise<void> = Promise.resolve();

  const enterAll = async () => {
    clearTimeout(timer);
    timer = undefined;
    await enterEach(deps, [...entries], remove);
  };
  const flush = () => {
    entering = entering.catch(() => undefined).then(enterAll);
    return entering;
  };
  const flushLater = () => {
    timer ??= setTimeout(() => {
      flush().catch((error: unknown) => {
        deps.log.warn({ err: error, calls: entries.size }, 'calls not entered, trying again');
        if (entries.size > 0) flushLater();
      });
    }, FLUSH_MS);
  };

  return {
    record: async (call) => {
      if (entries.size >= MOST_KEPT) throw new Error('The ledger takes no more calls');
      const entry = { call, at: deps.now() };
      entries.add(entry);
      const tellsToStop = call.outcome === 'limited' || call.outcome === 'blocked';
      if (!tellsToStop && entries.size < MOST_AT_ONCE) return flushLater();
      await flush().catch((error: unknown) => {
        if (tellsToStop && entries.has(entry)) stops.add(entry);
        flushLater();
        throw error;
      });
    },
    restOf: (call) => {
      for (const entry of stops) {
        const stop = stopOf(entry, call, deps.now());
        if (stop !== undefined) return stop;
      }
      return undefined;
    },
    stop: flush,
  };
}

function stopOf(
  { call, at }: Entry,
  asked: Pick<FinishedCall, 'credential' | 'companyId'>,
  now: Date,
): Stop | undefined {
  const pause = decidePause(
    { ...call, isWindowKnown: false },
    { pausedUntil: null, blocks: 0 },
    at,
  );
  if (pause.pause === 'none' || pause.until <= now) return undefined;
  const { until } = pause;
  if (pause.pause === 'credential') {
    const isSame = call.credential === asked.credential;
    return isSame ? { admitted: false, until, reason: pause.reason } : undefined;
  }
  const isSame = call.companyId === asked.companyId;
  return isSame ? { admitted: false, until, reason: 'budget_spent' } : undefined;
}

/** What cannot be entered now stays, and holds up nobody else; the first failure is thrown at the end. */
async function enterEach(
  deps: LedgerDeps,
  entries: readonly Entry[],
  remove: (entry: Entry) => void,
): Promise<void> {
  const failures: unknown[] = [];
  for (let start = 0; start < entries.length; start += MOST_AT_ONCE) {
    for (const group of groupCalls(entries.slice(start, start + MOST_AT_ONCE))) {
      await enterGroup(deps, group, remove).catch((error: unknown) => failures.push(error));
    }
  }
  if (failures.length > 0) throw failures[0];
}

/** Together, or one by one when one of them is at fault; such a one is dropped, and said so. */
async function enterGroup(
  deps: LedgerDeps,
  group: readonly Entry[],
  remove: (entry: Entry) => void,
): Promise<void> {
  try {
    await enterCalls(deps.db, group, deps.plan);
    for (const entry of group) remove(entry);
  } catch (error) {
    if (!isAtFault(error)) throw error;
    if (group.length > 1) {
      for (const entry of group) await enterGroup(deps, [entry], remove);
      return;
    }
    for (const entry of group) remove(entry);
    const { operation, outcome } = group[0]?.call ?? {};
    deps.log.error({ err: error, operation, outcome }, 'a call that cannot be entered was dropped');
  }
}

/** True for what no further try can change: a value the database does not take (SQLSTATE 22 and 23). */
const isAtFault = (error: unknown): boolean =>
  typeof error === 'object' &&
  error !== null &&
  'code' in error &&
  typeof error.code === 'string' &&
  /^2[23]/.test(error.code);
