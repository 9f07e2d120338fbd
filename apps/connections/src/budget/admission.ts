import { setTimeout as sleep } from 'node:timers/promises';
import type { Db } from '../store.ts';
import { admitCalls } from './admitting.ts';
import type { PlannedCall } from './commands.ts';
import type { Admission, BudgetPlan } from './rules.ts';
import type { Lane } from './tables.ts';

/** How long a call waits for room in the windows before it is told to come back. */
const PATIENCE_MS: Record<Lane, number> = { interactive: 2_000, event: 2_000, bulk: 5_000 };
/** Calls decided about in one transaction. */
const MOST_AT_ONCE = 100;
/** Others may have made room meanwhile; and clocks in tests run faster than timers. */
const LONGEST_REST_MS = 50;

interface Waiting {
  call: PlannedCall;
  askedAt: number;
  answer: (admission: Admission) => void;
  fail: (error: unknown) => void;
}

/** Calls to one company that ask for a place. */
interface Line {
  waiting: Waiting[];
  wake: () => void;
}

/**
 * Admits calls, many in one transaction: while one batch is decided about, the next gathers. Who finds
 * the windows full waits here a little, the more urgent in front.
 */
export function createAdmission(deps: {
  db: Db;
  plan: BudgetPlan;
  now: () => Date;
}): (call: PlannedCall) => Promise<Admission> {
  const lines = new Map<string, Line>();
  return (call) =>
    new Promise<Admission>((answer, fail) => {
      const waiting = { call, askedAt: deps.now().getTime(), answer, fail };
      const line = lines.get(call.companyId);
      if (line !== undefined) {
        line.waiting.push(waiting);
        // what is no more urgent than those who wait would wait too
        if (call.lane !== 'bulk') line.wake();
        return;
      }
      const opened: Line = { waiting: [waiting], wake: () => undefined };
      lines.set(call.companyId, opened);
      void serve(deps, opened, () => lines.delete(call.companyId));
    });
}

/** Never throws; closes the line in the same breath as it finds it empty. */
async function serve(
  deps: Parameters<typeof createAdmission>[0],
  line: Line,
  close: () => void,
): Promise<void> {
  while (line.waiting.length > 0) {
    const batch = line.waiting.splice(0, MOST_AT_ONCE);
    const restMs = await decide(deps, line, batch);
    if (restMs > 0) await rest(line, restMs);
  }
  close();
}

/** Answers those who can be answered; returns how long the others have to wait. */
async function decide(
  { db, plan, now }: Parameters<typeof createAdmission>[0],
  line: Line,
  batch: readonly Waiting[],
): Promise<number> {
  try {
    const calls = batch.map(({ call }) => call);
    const answers = await admitCalls(db, calls, { now: now(), plan });
    const patient = batch.filter((one, index) => {
      const answer = answers[index];
      if (answer === undefined || isWorthWaiting(one, answer)) return true;
      one.answer(answer);
      return false;
    });
    line.waiting.unshift(...patient);
    if (patient.length === 0 || line.waiting.length > patient.length) return 0;
    const until = answers.flatMap((one) => (one.admitted ? [] : [Number(one.until)]));
    return Math.max(1, Math.min(...until) - now().getTime());
  } catch (error) {
    for (const one of batch) one.fail(error);
    return 0;
  }
}

const isWorthWaiting = ({ call, askedAt }: Waiting, answer: Admission): boolean =>
  !answer.admitted &&
  answer.reason === 'burst_limited' &&
  Number(answer.until) - askedAt <= PATIENCE_MS[call.lane];

async function rest(line: Line, ms: number): Promise<void> {
  const timer = new AbortController();
  const woken = new Promise<void>((resolve) => {
    line.wake = resolve;
  });
  const rested = sleep(Math.min(ms, LONGEST_REST_MS), undefined, { signal: timer.signal });
  await Promise.race([woken, rested.catch(() => undefined)]);
  timer.abort();
  line.wake = () => undefined;
}
