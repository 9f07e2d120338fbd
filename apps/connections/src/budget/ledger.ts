import type { Logger } from 'pino';
import type { Db } from '../store.ts';
import type { FinishedCall } from './commands.ts';
import { enterCalls, type Entry } from './entering.ts';
import type { BudgetPlan } from './rules.ts';

const FLUSH_MS = 200;
const MOST_AT_ONCE = 200;
/** More than are made while the database is away: nothing is called without it. */
const MOST_KEPT = 5_000;

export interface Ledger {
  /** Enters a call soon, or at once when it tells to stop. */
  record: (call: FinishedCall) => Promise<void>;
  /** Enters what is left. */
  stop: () => Promise<void>;
}

/**
 * Enters finished calls in the ledger, many in one transaction. A process that is killed loses the
 * rows of the last 200 ms and no tokens: what was reserved for these calls counts as spent later.
 */
export function createLedger(deps: {
  db: Db;
  plan: BudgetPlan;
  now: () => Date;
  log: Logger;
}): Ledger {
  let entries: Entry[] = [];
  let timer: NodeJS.Timeout | undefined;
  let entering: Promise<void> = Promise.resolve();

  const enterAll = async () => {
    clearTimeout(timer);
    timer = undefined;
    while (entries.length > 0) {
      const batch = entries.slice(0, MOST_AT_ONCE);
      await enterCalls(deps.db, batch, deps.plan);
      entries = entries.slice(batch.length);
    }
  };
  const flush = () => {
    entering = entering.catch(() => undefined).then(enterAll);
    return entering;
  };
  const flushLater = () => {
    timer ??= setTimeout(() => {
      flush().catch((error: unknown) => {
        deps.log.warn({ err: error, calls: entries.length }, 'calls not entered, trying again');
        if (entries.length > 0) flushLater();
      });
    }, FLUSH_MS);
  };

  return {
    record: async (call) => {
      if (entries.length >= MOST_KEPT) throw new Error('The ledger takes no more calls');
      entries.push({ call, at: deps.now() });
      const tellsToStop = call.outcome === 'limited' || call.outcome === 'blocked';
      if (tellsToStop || entries.length >= MOST_AT_ONCE) await flush();
      else flushLater();
    },
    stop: flush,
  };
}
