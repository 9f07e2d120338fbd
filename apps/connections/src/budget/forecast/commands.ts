import { withWorkspace } from '@manifold/database';
import type { Connection } from '../../accounts/tables.ts';
import type { Db } from '../../store.ts';
import { pauseOf } from '../answers/rules.ts';
import { effectivePlan } from '../plans/rules.ts';
import { listPlans } from '../plans/store.ts';
import { balanceOf, type BudgetPlan, dayOf } from '../rules.ts';
import { findDay, findWindow } from '../store.ts';
import type { Lane } from '../tables.ts';
import { spentOf } from '../telling.ts';
import { demandOf } from './pricing.ts';
import { type Capacity, type Demand, type Estimate, forecast } from './rules.ts';
import { listQueued, type QueuedSteps } from './store.ts';

export interface ForecastDeps {
  db: Db;
  /** Limits to assume until they are known. */
  plan: BudgetPlan;
  now: () => Date;
}

/** What waits for the API as part of one job, and when it is done. */
export type JobForecast = Demand &
  Estimate & {
    /** A change set, or the service that asked. */
    job: string;
    changeSetId: string | null;
  };

type Used = Pick<Connection, 'workspace_id' | 'id' | 'company_id' | 'method'>;

/** Everything that waits to be sent through a connection: what it will take, and when it ends. */
export async function forecastQueue(deps: ForecastDeps, connection: Used): Promise<JobForecast[]> {
  const { queued, capacity } = await readQueue(deps, connection);
  return estimate(jobsOf(queued), capacity, deps.now());
}

/** When one job would end, sent beside what waits already; what of it waits is not counted twice. */
export function forecastJob(
  { queued, capacity }: Queue,
  job: Demand & { changeSetId: string },
  now: Date,
): JobForecast {
  const { changeSetId } = job;
  const others = jobsOf(queued).filter((one) => one.changeSetId !== changeSetId);
  const own = { ...job, job: changeSetId };
  const estimated = estimate([...others, own], capacity, now);
  const found = estimated.find((one) => one.changeSetId === changeSetId);
  if (found === undefined) throw new Error(`No estimate for ${changeSetId}`);
  return found;
}

type Job = Demand & { job: string; changeSetId: string | null };

function estimate(jobs: readonly Job[], capacity: Capacity, now: Date): JobForecast[] {
  const estimates = forecast(jobs, capacity, now);
  return jobs.map((job, index) => ({
    ...job,
    ...(estimates[index] ?? { startsAt: now, endsAt: now, waitsForDay: false }),
  }));
}

function jobsOf(queued: readonly QueuedSteps[]): Job[] {
  const groups = Map.groupBy(queued, ({ lane, job }) => `${lane}|${job}`);
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const demands = group.map(demandOf);
    const sum = (of: keyof Omit<Demand, 'lane'>) =>
      demands.reduce((total, demand) => total + demand[of], 0);
    const lane: Lane = first.lane;
    return {
      lane,
      job: first.job,
      changeSetId: first.change_set_id,
      tokens: sum('tokens'),
      calls: sum('calls'),
      searches: sum('searches'),
    };
  });
}

/** What waits for a connection, and how much of the API it has. */
export interface Queue {
  capacity: Capacity;
  queued: QueuedSteps[];
}

export async function readQueue(deps: ForecastDeps, connection: Used): Promise<Queue> {
  const now = deps.now();
  return withWorkspace(deps.db, connection.workspace_id, async (tx) => {
    const [said] = await listPlans(tx, [connection.company_id], [connection.workspace_id]);
    const plan = effectivePlan(said, deps.plan);
    const window = await findWindow(tx, connection.id);
    const day = await findDay(tx, connection.company_id, dayOf(now));
    const { limit, remaining } = balanceOf(spentOf(day), plan.dailyTokens);
    const capacity: Capacity = {
      burstLimit: window?.burst_limit ?? plan.burst[connection.method],
      dailyTokens: limit,
      remainingTokens: remaining,
      pausedUntil: pauseOf(day, window, now)?.until ?? null,
    };
    return { capacity, queued: await listQueued(tx, connection.id) };
  });
}
