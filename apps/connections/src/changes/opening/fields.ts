import { ChangeSetId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { loadById, type PageArguments, toConnection } from '@manifold/subgraph';
import type { BudgetPlan } from '../../budget/rules.ts';
import type { Db } from '../../store.ts';
import type { Vault } from '../../vault/seal.ts';
import { actingFields } from '../acting/fields.ts';
import { createExplainingFields } from '../explaining/fields.ts';
import { waitOf } from '../explaining/rules.ts';
import { forecastSet, secondsOf } from '../costs/forecast.ts';
import { rateOf, secondsLeft } from '../holding/rules.ts';
import { readChangeListing, shownState } from '../reading/listing.ts';
import type { ChangeSetContext as Context } from '../reading/loaders.ts';
import { countChanges, listChanges } from '../rows/shown/store.ts';
import type { ChangeSet } from '../store.ts';
import { settledOf, sumUp, type Totals } from '../costs/totals.ts';
import { createUndoFields } from '../undoable/fields.ts';

export interface FieldDeps {
  db: Db;
  vault: Vault;
  plan: BudgetPlan;
  now: () => Date;
}

export const findSet = (id: string, { loaders }: Context) =>
  loadById(ChangeSetId, id, (known) => loaders.changeSets.load(known));

const totalsOf = async ({ id }: ChangeSet, { loaders }: Context): Promise<Totals> =>
  sumUp(await loaders.changeTallies.load(id));

async function forecastOf({ now }: FieldDeps, set: ChangeSet, context: Context) {
  const [queue, totals] = await Promise.all([
    context.loaders.queues.load(set.acting_connection_id ?? set.connection_id),
    totalsOf(set, context),
  ]);
  return forecastSet(set, { queue, totals }, now());
}

/** Every field of `ChangeSet` that is not a column of the same name. */
export const createSetFields = (deps: FieldDeps) => ({
  __resolveReference: ({ id }: { id: string }, context: Context) => findSet(id, context),
  state: ({ state }: ChangeSet) => shownState(state),
  ...createExplainingFields(deps),
  ...actingFields,
  cause: ({ cause_service, cause_type, cause_id }: ChangeSet) => ({
    service: cause_service,
    type: cause_type,
    id: cause_id,
  }),
  connection: ({ connection_id }: ChangeSet, _: unknown, { loaders }: Context) =>
    loaders.connections.load(connection_id),
  ...createUndoFields(deps),
  guardRails: (set: ChangeSet) => set,
  approvedFirst: ({ approved_changes }: ChangeSet) => approved_changes,
  approvedAt: ({ approved_at }: ChangeSet) => approved_at,
  progress: async (set: ChangeSet, _: unknown, context: Context) => progressOf(deps, set, context),
  effects: async (set: ChangeSet, _: unknown, context: Context) =>
    (await totalsOf(set, context)).effects,
  outcomes: async (set: ChangeSet, _: unknown, context: Context) =>
    outcomesOf(await totalsOf(set, context)),
  counts: async (set: ChangeSet, _: unknown, context: Context) =>
    (await totalsOf(set, context)).reasons,
  priceEstimate: ({ price_tokens }: ChangeSet) => price_tokens,
  priceSpent: async (set: ChangeSet, _: unknown, context: Context) =>
    set.spent_tokens + (await totalsOf(set, context)).costTokens,
  forecast: (set: ChangeSet, _: unknown, context: Context) => forecastOf(deps, set, context),
  expectedSeconds: async (set: ChangeSet, _: unknown, context: Context) =>
    secondsOf(await forecastOf(deps, set, context), deps.now()),
  changes: async ({ id }: ChangeSet, args: PageArguments, { workspaceId }: Context) => {
    const { filter, page } = readChangeListing(args);
    return withWorkspace(deps.db, workspaceId, async (tx) => ({
      ...toConnection(await listChanges(tx, { setId: id, filter }, page), page, (row) => [row.id]),
      totalCount: await countChanges(tx, id, filter),
    }));
  },
  correlationId: ({ correlation_id }: ChangeSet) => correlation_id,
  createdAt: ({ created_at }: ChangeSet) => created_at,
  plannedAt: ({ planned_at }: ChangeSet) => planned_at,
  startedAt: ({ started_at }: ChangeSet) => started_at,
  endedAt: ({ ended_at }: ChangeSet) => ended_at,
});

const outcomesOf = ({ states }: Totals) =>
  Object.fromEntries(Object.entries(states).map(([state, count]) => [state.toLowerCase(), count]));

async function progressOf(deps: FieldDeps, set: ChangeSet, context: Context) {
  const totals = await totalsOf(set, context);
  const total = totals.rows;
  const isPlan = set.started_at === null;
  const done = isPlan ? total - totals.states.PENDING : settledOf(totals);
  const progress = { done, total, ratePerSecond: null, remainingSeconds: null };
  if (set.state !== 'planning' && set.state !== 'applying') return progress;
  // while it waits nothing is measured; what the limits let through tells when it ends
  if (waitOf(set) !== null) {
    const remainingSeconds = secondsOf(await forecastOf(deps, set, context), deps.now());
    return { ...progress, remainingSeconds };
  }
  const ratePerSecond = isPlan
    ? planningRate(set, done, deps.now())
    : rateOf(await context.loaders.paces.load(set.id));
  return { ...progress, ratePerSecond, remainingSeconds: secondsLeft(total - done, ratePerSecond) };
}

function planningRate({ closed_at }: ChangeSet, done: number, now: Date): number | null {
  if (closed_at === null) return null;
  const seconds = (now.getTime() - closed_at.getTime()) / 1_000;
  return rateOf({ changes: done, seconds });
}
