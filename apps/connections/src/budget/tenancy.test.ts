import { ChangeSetId, ConnectionId, UserId, WorkspaceId } from '@manifold/contracts';
import { acrossWorkspaces, newId, withWorkspace } from '@manifold/database';
import { createTestDatabase } from '@manifold/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectionRow, grantRow } from '../../test/rows.ts';
import { insertGrant } from '../accounts/grants/store.ts';
import { insertConnection } from '../accounts/store.ts';
import { migrations } from '../migrations/index.ts';
import type { Db, Tables } from '../store.ts';
import * as forecast from './forecast/store.ts';
import * as lanes from './lanes/store.ts';
import * as plans from './plans/store.ts';
import * as budget from './store.ts';
import * as usage from './usage/store.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const now = new Date('2026-03-01T10:00:00Z');
const midnight = new Date('2026-03-02T00:00:00Z');
const a = newId('ws', WorkspaceId);
const b = newId('ws', WorkspaceId);
const connectionId = newId('cn', ConnectionId);
const changeSetId = newId('cs', ChangeSetId);
const grant = grantRow();
const of = { workspaceId: a, companyId: '1', day: '2026-03-01' };
const page = { limit: 10, backwards: false, cursor: undefined, newestFirst: true };
const window: budget.ApiWindow = {
  credential: grant.id,
  company_id: '1',
  burst_limit: 80,
  burst: [[1, 1]],
  search: [],
  paused_until: null,
  pause_reason: null,
  blocks: 0,
  probe_until: null,
};
const spent = {
  workspace_id: a,
  company_id: '1',
  connection_id: connectionId,
  operation: 'getPerson',
  feature: 'contacts',
  tokens: 1,
};
const call = { ...spent, id: 'one', status: 200, outcome: 'ok', lane: 'bulk', at: now } as const;
const plan = {
  workspace_id: a,
  company_id: '1',
  plan: 'lite',
  seats: 1,
  top_up_tokens: 0,
  user_id: newId('us', UserId),
  updated_at: now,
} as const;
const used = { ...spent, day: of.day, change_set_id: changeSetId, calls: 1 };
const grouped = { filter: { since: '2026-01-01' }, by: 'operation' } as const;

type Call = (tx: Db) => Promise<unknown>;

/** Every store function, called for the rows of A. */
const calls: Record<string, Call> = {
  findWindow: (tx) => budget.findWindow(tx, connectionId),
  listWindows: (tx) => budget.listWindows(tx, [grant.id]),
  listDays: (tx) => budget.listDays(tx, '1', of.day),
  listLastDays: (tx) => lanes.listLastDays(tx, '1', { workspaceIds: [a, b], before: '2026-03-02' }),
  lookAtDayAnew: (tx) => plans.lookAtDayAnew(tx, { companyId: '1', day: of.day, now }),
  wakeWaitingForDay: (tx) => plans.wakeWaitingForDay(tx, '1', now),
  findDay: (tx) => budget.findDay(tx, '1', of.day),
  setDays: (tx) => budget.setDays(tx, [{ ...budget.newDay(of), spent_tokens: 7 }]),
  listCompanyUsers: (tx) => budget.listCompanyUsers(tx, '1'),
  listPlans: (tx) => plans.listPlans(tx, ['1']),
  setPlan: (tx) => plans.setPlan(tx, { ...plan, seats: 9 }),
  removePlan: (tx) => plans.removePlan(tx, a, '1'),
  insertCalls: (tx) => usage.insertCalls(tx, [{ ...call, id: 'two' }]),
  addUsage: (tx) => usage.addUsage(tx, [used]),
  listUsage: (tx) => usage.listUsage(tx, grouped, page),
  countUsage: (tx) => usage.countUsage(tx, grouped),
  listCalls: (tx) => usage.listCalls(tx, {}, page),
  countCalls: (tx) => usage.countCalls(tx, {}),
  removeCalls: (tx) => usage.removeCalls(tx, a, { before: new Date('2027-01-01'), limit: 5 }),
  listQueued: (tx) => forecast.listQueued(tx, connectionId),
};
/** It locks a name; it writes what several workspaces share, and only in a scope across them. */
const others = ['lockCompany', 'setWindows', 'newDay', 'readDay', 'usageColumns'];

const dump = async (tx: Db) =>
  JSON.stringify([
    await tx.selectFrom('api_call').selectAll().orderBy('id').execute(),
    await tx.selectFrom('api_usage').selectAll().execute(),
    await tx.selectFrom('api_day').selectAll().execute(),
    await tx.selectFrom('api_window').selectAll().execute(),
    await tx.selectFrom('api_plan').selectAll().execute(),
    await tx.selectFrom('write_step').selectAll().execute(),
  ]);

beforeAll(async () => {
  await acrossWorkspaces(db, async (tx) => {
    await insertGrant(tx, grant);
    await budget.setWindows(tx, [window]);
  });
  await withWorkspace(db, a, async (tx) => {
    const row = connectionRow(a, { id: connectionId, grant_id: grant.id });
    await insertConnection(tx, row);
    await budget.setDays(tx, [{ ...budget.newDay(of), learned_limit: 900 }]);
    await plans.setPlan(tx, plan);
    await usage.insertCalls(tx, [call]);
    await usage.addUsage(tx, [used]);
    await sql`insert into write_request (workspace_id, id, connection_id, company_id, idempotency_key,
        body_hash, state, lane, cause_service, cause_type, cause_id, actor_kind, actor_id,
        correlation_id, created_at)
      values (${a}, 'wr_1', ${connectionId}, '1', 'k', 'h', 'pending', 'bulk', 's', 't', 'i', 'user',
        'u', 'c', ${now})`.execute(tx);
    await sql`insert into write_step (workspace_id, id, write_request_id, connection_id, company_id,
        position, name, operation, object, existing, guard, refers_to, key_hashes, state, lane,
        reason, not_before, fence, attempts, unknown_creates, candidates, changed_keys, cost_tokens, created_at)
      values (${a}, 'st_1', 'wr_1', ${connectionId}, '1', 0, 'person', 'update', 'person', 'update',
        'always', '{}', '{}', 'queued', 'bulk', 'budget_spent', ${midnight}, 1, 0, 0, '{}', '{}', 0, ${now})`.execute(
      tx,
    );
  });
});
afterAll(drop);

/** What a call gives and changes in the scope of a workspace; undone afterwards. */
async function observe(scope: WorkspaceId, run: Call) {
  const seen: { result?: unknown; changed: boolean } = { changed: false };
  const undo = new Error('undo');
  const refused = await withWorkspace(db, scope, async (tx) => {
    const earlier = await dump(tx);
    seen.result = await run(tx);
    seen.changed = (await dump(tx)) !== earlier;
    throw undo;
  }).catch((error: unknown) => error);
  return { result: seen.result, changed: seen.changed, refused: refused !== undo };
}

const isNothing = (result: unknown): boolean =>
  result === undefined || result === 0 || (Array.isArray(result) && result.length === 0);

test.each(Object.entries(calls))('%s reaches rows of its own workspace only', async (_, run) => {
  const own = await observe(a, run);
  expect([own.refused, own.changed || !isNothing(own.result)]).toEqual([false, true]);

  const untouched = await acrossWorkspaces(db, dump);
  const foreign = await observe(b, run);
  expect([foreign.changed, isNothing(foreign.result)]).toEqual([false, true]);
  expect(await acrossWorkspaces(db, dump)).toBe(untouched);
});

test('windows, which workspaces share, are changed across workspaces only', async () => {
  const change = withWorkspace(db, a, (tx) => budget.setWindows(tx, [{ ...window, blocks: 3 }]));
  await expect(change).rejects.toThrow('row-level security');
});

test('every function of these stores is tried', () => {
  const exported = [budget, plans, usage, forecast, lanes].flatMap((store) => Object.keys(store));
  expect([...Object.keys(calls), ...others].toSorted()).toEqual(exported.toSorted());
});
