import { ConnectionId, WorkspaceId } from '@manifold/contracts';
import { connectDatabase, newId } from '@manifold/database';
import { type CallReport, explainLimit } from '@manifold/pipedrive';
import { createTestDatabase } from '@manifold/testing';
import { sql } from 'kysely';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';
import { admitCall, type FinishedCall, type PlannedCall, recordCall } from './commands.ts';
import type { BudgetPlan } from './rules.ts';

const { db, ownerDb, urls, drop } = await createTestDatabase<Tables>(migrations);
const replica = connectDatabase<Tables>(urls.appUrl);
const now = new Date('2026-03-01T10:00:00Z');
const at = (ms: number) => new Date(now.getTime() + ms);
const plan: BudgetPlan = { burst: { OAUTH: 80, API_TOKEN: 20 }, dailyTokens: 1_000 };
let call: PlannedCall;

beforeEach(() => {
  call = {
    workspaceId: newId('ws', WorkspaceId),
    connectionId: newId('cn', ConnectionId),
    companyId: newId('cn', ConnectionId).slice(-32),
    method: 'API_TOKEN',
    operation: 'getPerson',
    lane: 'interactive',
    feature: 'contacts',
  };
});
afterAll(async () => {
  await replica.destroy();
  await drop();
});

test('two replicas together never go beyond the window of a credential', async () => {
  const asked = Array.from({ length: 60 }, (_, index) =>
    admitCall(index % 2 === 0 ? db : replica, call, { now, plan }),
  );
  const admitted = (await Promise.all(asked)).filter((answer) => answer.admitted);
  expect(admitted).toHaveLength(20);
  expect(await admitCall(db, call, { now: at(2_200), plan })).toEqual({ admitted: true });
});

test('calls under way are counted, so the day is not overdrawn by many at once', async () => {
  const search = { ...call, method: 'OAUTH', operation: 'addLead' } as const;
  const lots = { burst: { OAUTH: 500, API_TOKEN: 500 }, dailyTokens: 100 };
  const asked = Array.from({ length: 20 }, () => admitCall(db, search, { now, plan: lots }));
  const admitted = (await Promise.all(asked)).filter((answer) => answer.admitted);
  expect(admitted).toHaveLength(10);
});

test('a call that was turned away gives its tokens back', async () => {
  const last = { burst: plan.burst, dailyTokens: 1 };
  expect(await admitCall(db, call, { now, plan: last })).toEqual({ admitted: true });
  await recordCall(db, finished({ outcome: 'not_sent', status: undefined }), now);
  expect(await admitCall(db, call, { now, plan: last })).toEqual({ admitted: true });
});

test('the day is one for all workspaces that use a company', async () => {
  const elsewhere = {
    ...call,
    workspaceId: newId('ws', WorkspaceId),
    connectionId: newId('cn', ConnectionId),
  };
  await recordCall(db, finished({ priceTokens: 1_000 }), now);
  expect(await admitCall(db, elsewhere, { now, plan })).toMatchObject({ reason: 'budget_spent' });
  expect(await admitCall(db, elsewhere, { now: at(86_400_000), plan })).toEqual({ admitted: true });
});

test('limits are learned from the headers of an answer', async () => {
  const limits = { burstLimit: 1, dailyTokenLimit: 5_000, dailyTokensRemaining: 10 };
  await admitCall(db, call, { now, plan });
  await recordCall(db, finished({ limits }), now);
  expect(await admitCall(db, call, { now, plan })).toMatchObject({ reason: 'burst_limited' });
  const lead = { ...call, operation: 'getLeads' } as const;
  expect(await admitCall(db, lead, { now: at(5_000), plan })).toMatchObject({
    reason: 'budget_spent',
  });
});

test('the limit of searches is not taken for that of all calls', async () => {
  const limits = { burstLimit: 1 };
  await admitCall(db, call, { now, plan });
  await recordCall(db, { ...finished({ limits }), operation: 'searchPersons' }, now);
  expect(await admitCall(db, call, { now, plan })).toEqual({ admitted: true });
});

test('after a full window the credential rests, others of the company do not', async () => {
  await admitCall(db, call, { now, plan });
  const limits = { burstRemaining: 0, burstResetSeconds: 2 };
  await recordCall(db, finished({ outcome: 'limited', status: 429, limits }), now);
  expect(await admitCall(db, call, { now: at(1_900), plan })).toEqual({
    admitted: false,
    until: at(2_000),
    reason: 'burst_limited',
  });
  const other = { ...call, connectionId: newId('cn', ConnectionId) };
  expect(await admitCall(db, other, { now, plan })).toEqual({ admitted: true });
});

test('after a page from the edge nothing is asked with the credential for a while', async () => {
  await recordCall(db, finished({ outcome: 'blocked', status: 403 }), now);
  expect(await admitCall(db, call, { now: at(14 * 60_000), plan })).toMatchObject({
    reason: 'pipedrive_blocked',
  });
  expect(await admitCall(db, call, { now: at(16 * 60_000), plan })).toEqual({ admitted: true });
});

test('the ledger has a row per call and totals per day; single calls go after 30 days', async () => {
  await recordCall(db, finished({}), now);
  await recordCall(db, finished({ outcome: 'limited', status: 429 }), now);
  expect(await rows('api_call')).toHaveLength(2);
  expect(await rows('api_usage')).toEqual([
    expect.objectContaining({ day: '2026-03-01', calls: 2, tokens: 1, feature: 'contacts' }),
  ]);
  await recordCall(db, finished({}), at(31 * 86_400_000));
  expect(await rows('api_call')).toHaveLength(1);
  expect(await rows('api_usage')).toHaveLength(2);
});

// builders

function finished(
  change: Partial<Omit<FinishedCall, 'limits'>> & { limits?: Partial<CallReport['limits']> },
): FinishedCall {
  const { method: _, ...of } = call;
  const outcome = change.outcome ?? 'ok';
  const limits = {
    burstLimit: undefined,
    burstRemaining: undefined,
    burstResetSeconds: undefined,
    dailyTokenLimit: undefined,
    dailyTokensRemaining: undefined,
    retryAfterSeconds: undefined,
    ...change.limits,
  };
  const limited = outcome === 'limited' ? explainLimit(limits) : undefined;
  return { ...of, priceTokens: 1, status: 200, ...change, outcome, limited, limits };
}

const rows = (table: 'api_call' | 'api_usage') =>
  ownerDb.transaction().execute(async (tx) => {
    await sql`select set_config('manifold.workspace', ${call.workspaceId}, true)`.execute(tx);
    return (await sql`select * from ${sql.table(table)}`.execute(tx)).rows;
  });
