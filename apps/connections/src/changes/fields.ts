import { ChangeId, ChangeSetId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { loadById, type PageArguments, toConnection } from '@manifold/subgraph';
import type { BudgetPlan } from '../budget/rules.ts';
import type { Db } from '../store.ts';
import type { Vault } from '../vault/seal.ts';
import { forecastSet, secondsOf } from './forecast.ts';
import { openImage } from './images.ts';
import { readChangeListing, shownState } from './listing.ts';
import type { ChangeSetContext as Context } from './loaders.ts';
import { type ChangeRow, countChanges, listChanges } from './rows/shown/store.ts';
import type { Change } from './rows/store.ts';
import { type Fields, hasEnded, stateOf } from './rules.ts';
import type { ChangeSet } from './store.ts';
import { settledOf, sumUp, type Totals } from './totals.ts';

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

const forecastOf = async (deps: FieldDeps, set: ChangeSet, context: Context) =>
  forecastSet(deps, set, {
    connection: await context.loaders.connections.load(set.connection_id),
    totals: await totalsOf(set, context),
  });

/** Every field of `ChangeSet` that is not a column of the same name. */
export const createSetFields = (deps: FieldDeps) => ({
  __resolveReference: ({ id }: { id: string }, context: Context) => findSet(id, context),
  state: ({ state }: ChangeSet) => shownState(state),
  waitsFor: ({ waiting_reason }: ChangeSet) => waiting_reason,
  cause: ({ cause_service, cause_type, cause_id }: ChangeSet) => ({
    service: cause_service,
    type: cause_type,
    id: cause_id,
  }),
  connection: ({ connection_id }: ChangeSet, _: unknown, { loaders }: Context) =>
    loaders.connections.load(connection_id),
  undoes: ({ undoes_id }: ChangeSet, _: unknown, { loaders }: Context) =>
    undoes_id === null ? null : loaders.changeSets.load(undoes_id),
  undoneBy: async ({ id }: ChangeSet, _: unknown, { loaders }: Context) =>
    (await loaders.undosOfSet.load(id))[0] ?? null,
  canBeUndone: ({ state, ended_at, images_until }: ChangeSet) =>
    hasEnded(state) && ended_at !== null && images_until !== null && images_until > deps.now(),
  guardRails: (set: ChangeSet) => set,
  approvedFirst: ({ approved_changes }: ChangeSet) => approved_changes,
  approvedAt: ({ approved_at }: ChangeSet) => approved_at,
  progress: async (set: ChangeSet, _: unknown, context: Context) =>
    progressOf(set, await totalsOf(set, context), deps.now()),
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

function progressOf(set: ChangeSet, totals: Totals, now: Date) {
  const total = totals.rows;
  const isPlan = set.started_at === null;
  const done = isPlan ? total - totals.states.PENDING : settledOf(totals);
  const from = isPlan ? set.closed_at : set.started_at;
  const isMoving = set.state === 'planning' || set.state === 'applying';
  if (!isMoving || from === null) {
    return { done, total, ratePerSecond: null, remainingSeconds: null };
  }
  const seconds = (now.getTime() - from.getTime()) / 1000;
  const ratePerSecond = seconds > 0 ? done / seconds : 0;
  const remaining = ratePerSecond > 0 ? Math.ceil((total - done) / ratePerSecond) : null;
  return { done, total, ratePerSecond, remainingSeconds: remaining };
}

/** Every field of `Change` that is not a column of the same name. */
export const createChangeFields = (deps: FieldDeps) => ({
  __resolveReference: ({ id }: { id: string }, { loaders }: Context) =>
    loadById(ChangeId, id, (known) => loaders.changes.load(known)),
  changeSet: ({ change_set_id }: ChangeRow, _: unknown, { loaders }: Context) =>
    loaders.changeSets.load(change_set_id),
  state: (change: ChangeRow) => stateOf(change),
  effect: ({ effect }: ChangeRow) => effect?.toUpperCase() ?? null,
  matchedBy: ({ matched_by }: ChangeRow) => matched_by?.toUpperCase() ?? null,
  reason: ({ step_reason, reason }: ChangeRow) => step_reason ?? reason,
  pipedriveId: ({ step_pipedrive_id, pipedrive_id }: ChangeRow) =>
    step_pipedrive_id ?? pipedrive_id,
  pipedriveUrl: ({ pipedrive_url }: ChangeRow) => pipedrive_url,
  fields: (change: ChangeRow, _: unknown, { identity }: Context) =>
    identity.role === 'VIEWER' ? null : valuesOf(deps.vault, change),
  changedKeys: ({ changed_keys }: ChangeRow) => changed_keys,
  keptKeys: ({ kept_keys }: ChangeRow) => kept_keys,
  isReversible: ({ effect }: ChangeRow) => effect !== 'delete' && effect !== 'merge',
  priceEstimate: ({ price_tokens }: ChangeRow) => price_tokens,
  priceSpent: ({ cost_tokens }: ChangeRow) => cost_tokens,
  undoes: ({ undoes_change_id }: ChangeRow, _: unknown, { loaders }: Context) =>
    undoes_change_id === null ? null : loaders.changes.load(undoes_change_id),
  writeStep: ({ write_step_id }: ChangeRow, _: unknown, { loaders }: Context) =>
    loaders.writeSteps.load(write_step_id),
});

function valuesOf(vault: Vault, change: Change) {
  const before = openImage(vault, change, 'sealed_before');
  const after = openImage(vault, change, 'sealed_after');
  if (change.effect === null) return null;
  if (before === undefined || after === undefined) {
    return change.changed_keys.length === 0 ? [] : null;
  }
  const value = (fields: Fields, code: string) => fields[code] ?? null;
  return change.changed_keys.map((code) => ({
    code,
    before: value(before, code),
    after: value(after, code),
  }));
}
