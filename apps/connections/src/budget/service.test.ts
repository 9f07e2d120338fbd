import { ConnectionId, WorkspaceId } from '@manifold/contracts';
import { connectDatabase, newId, withWorkspace } from '@manifold/database';
import { createTestDatabase, silentLog } from '@manifold/testing';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { listEvents } from '../../test/looking.ts';
import { connectionRow } from '../../test/rows.ts';
import { insertConnection } from '../accounts/store.ts';
import { migrations } from '../migrations/index.ts';
import type { Tables } from '../store.ts';
import { finishedCall } from '../../test/finished-calls.ts';
import { createAdmission } from './admission.ts';
import { admitCall } from './admitting.ts';
import type { PlannedCall } from './commands.ts';
import { recordCall } from './entering.ts';
import { createLedger } from './ledger.ts';
import type { BudgetPlan } from './rules.ts';
import { findDay, findWindow } from './store.ts';
import { listCalls, listUsage } from './usage/store.ts';

const { db, urls, drop } = await createTestDatabase<Tables>(migrations);
const replica = connectDatabase<Tables>(urls.appUrl);
const now = new Date('2026-03-01T10:00:00Z');
const at = (ms: number) => new Date(now.getTime() + ms);
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const plan: BudgetPlan = { burst: { OAUTH: 80, API_TOKEN: 20 }, dailyTokens: 1_000 };
let call: PlannedCall;

beforeEach(async () => {
  call = await connect(newId('ws', WorkspaceId), newId('cn', ConnectionId).slice(-32));
});
afterAll(async () => {
  await replica.destroy();
  await drop();
});

describe('a window', () => {
  test('is one for all replicas', async () => {
    const asked = Array.from({ length: 60 }, (_, index) =>
      admitCall(index % 2 === 0 ? db : replica, call, { now, plan }),
    );
    const admitted = (await Promise.all(asked)).filter((answer) => answer.admitted);
    expect(admitted).toHaveLength(20);
    expect((await admit({ ...call }, at(2_200))).admitted).toBe(true);
  });

  test('is one for all workspaces that share a grant, and another for another grant', async () => {
    const elsewhere = await connect(newId('ws', WorkspaceId), call.companyId);
    const shared = { ...elsewhere, credential: call.credential };
    for (let index = 0; index < 20; index += 1) await admit(index % 2 === 0 ? call : shared);
    expect(await admit(shared)).toMatchObject({ admitted: false, reason: 'burst_limited' });
    expect((await admit(elsewhere)).admitted).toBe(true);
  });

  test('makes those who find it full wait for a place, the more urgent in front', async () => {
    const ticks = tickingFrom(now, 50);
    const ask = createAdmission({ db, plan, now: ticks });
    const order: string[] = [];
    const asked = ['bulk', 'bulk', 'interactive'] as const;
    for (let index = 20; index > 0; index -= 1) await admit(call, at(-index * 50));
    const answers = await Promise.all(
      asked.map(async (lane) => {
        const answer = await ask({ ...call, lane });
        order.push(lane);
        return answer.admitted;
      }),
    );
    expect(answers).toEqual([true, true, true]);
    expect(order).toEqual(['interactive', 'bulk', 'bulk']);
  });
});

describe('the day', () => {
  test('is not overdrawn by many calls at once', async () => {
    const lots = { burst: { OAUTH: 500, API_TOKEN: 500 }, dailyTokens: 100 };
    const asked = Array.from({ length: 20 }, () =>
      admitCall(db, { ...call, operation: 'addLead' }, { now, plan: lots }),
    );
    const admitted = (await Promise.all(asked)).filter((answer) => answer.admitted);
    expect(admitted).toHaveLength(10);
  });

  test('gets the tokens of a call back that was turned away', async () => {
    const last = { burst: plan.burst, dailyTokens: 1 };
    expect((await admitCall(db, call, { now, plan: last })).admitted).toBe(true);
    await record({ outcome: 'not_sent', status: undefined, admittedAt: now });
    expect((await admitCall(db, call, { now, plan: last })).admitted).toBe(true);
  });

  test('counts what a process had under way that died, as spent once its calls must have ended', async () => {
    const search = { ...call, operation: 'searchPersons', lane: 'interactive' } as const;
    const small = { burst: plan.burst, dailyTokens: 60 };
    for (const ms of [0, 1, 2]) await admitCall(db, search, { now: at(ms), plan: small });
    const later = at(5 * MINUTE_MS);
    expect(await admitCall(db, search, { now: later, plan: small })).toMatchObject({
      reason: 'budget_spent',
    });
    await recordCall(db, finishedCall(call, {}), { now: later, plan: small });
    expect(await dayOfWorkspace()).toMatchObject({ spent_tokens: 61, reserved: [] });
  });

  test('is one for all workspaces that use a company, and each sees what is left', async () => {
    const elsewhere = await connect(newId('ws', WorkspaceId), call.companyId);
    await admit(elsewhere);
    await record({ priceTokens: 1_000 });
    expect(await admit(elsewhere)).toMatchObject({ reason: 'budget_spent' });
    expect(await dayOfWorkspace(elsewhere)).toMatchObject({ spent_tokens: 0 });
    expect((await admit(elsewhere, at(DAY_MS))).admitted).toBe(true);
  });

  test('is learned from the headers of an answer, so is the window', async () => {
    await record({ limits: { burstLimit: 1, dailyTokenLimit: 5_000, dailyTokensRemaining: 10 } });
    await admit(call);
    expect(await admit(call)).toMatchObject({ reason: 'burst_limited' });
    const lead = { ...call, operation: 'getLeads' } as const;
    expect(await admit(lead, at(5_000))).toMatchObject({ reason: 'budget_spent' });
  });

  test('is told of when half, a fifth, a tenth and nothing is left, once each', async () => {
    for (const priceTokens of [490, 20, 20, 300, 80, 200]) await record({ priceTokens });
    const crossed = { change: 'threshold_crossed', limitTokens: 1_000 };
    expect(await told()).toEqual([
      expect.objectContaining({ ...crossed, percent: 50, remainingTokens: 490 }),
      expect.objectContaining({ ...crossed, percent: 80, remainingTokens: 170 }),
      expect.objectContaining({ ...crossed, percent: 90, remainingTokens: 90 }),
      expect.objectContaining({ ...crossed, percent: 100, spentTokens: 1_110, remainingTokens: 0 }),
    ]);
  });
});

describe('after an answer of too many calls', () => {
  test('the window is as full as Pipedrive says, others of the company are not', async () => {
    const limits = { burstLimit: 20, burstRemaining: 0, burstResetSeconds: 2 };
    await record({ outcome: 'limited', status: 429, limits });
    expect(await admit(call, at(1_500))).toMatchObject({ reason: 'burst_limited' });
    expect((await admit(call, at(2_200))).admitted).toBe(true);
    const other = await connect(call.workspaceId, call.companyId);
    expect((await admit(other)).admitted).toBe(true);
  });

  test('that tells nothing the credential rests', async () => {
    await record({ outcome: 'limited', status: 429 });
    expect(await admit(call, at(1_900))).toMatchObject({ reason: 'burst_limited' });
    expect((await admit(call, at(2_100))).admitted).toBe(true);
  });

  test('the limit of searches is not taken for that of all calls', async () => {
    await record({ operation: 'searchPersons', limits: { burstLimit: 1 } });
    await admit(call);
    expect((await admit(call)).admitted).toBe(true);
  });
});

test('after a page from the edge one call at a time looks whether it is over, ever more seldom', async () => {
  const blocked = { outcome: 'blocked', status: 403 } as const;
  const stopped = { admitted: false, reason: 'pipedrive_blocked' };
  await record(blocked);
  expect(await admit(call, at(0.9 * MINUTE_MS))).toMatchObject(stopped);
  expect((await admit(call, at(1.1 * MINUTE_MS))).admitted).toBe(true);
  expect(await admit(call, at(1.2 * MINUTE_MS))).toMatchObject(stopped);
  await record(blocked, at(1.3 * MINUTE_MS));
  expect(await admit(call, at(6.2 * MINUTE_MS))).toMatchObject(stopped);
  expect((await admit(call, at(6.4 * MINUTE_MS))).admitted).toBe(true);
  await record({}, at(6.5 * MINUTE_MS));
  expect((await admit(call, at(6.5 * MINUTE_MS))).admitted).toBe(true);
  expect(await told()).toEqual([
    expect.objectContaining({ change: 'paused', reason: 'pipedrive_blocked' }),
    expect.objectContaining({ change: 'resumed' }),
  ]);
});

describe('the ledger', () => {
  const all = { limit: 10, backwards: false, cursor: undefined, newestFirst: true };
  const scoped = <Result>(work: Parameters<typeof withWorkspace<Tables, Result>>[2]) =>
    withWorkspace(db, call.workspaceId, work);
  const calls = () => scoped((tx) => listCalls(tx, {}, all));
  const usage = () =>
    scoped((tx) => listUsage(tx, { filter: { since: '2026-01-01' }, by: 'day' }, all));

  test('has a row per call and totals per day; single calls go after 30 days', async () => {
    await record({});
    await record({ outcome: 'limited', status: 429 });
    expect(await calls()).toHaveLength(2);
    expect(await usage()).toEqual([{ key: '2026-03-01', calls: 2, tokens: 1 }]);
    await record({}, at(31 * DAY_MS));
    expect(await calls()).toHaveLength(1);
    expect(await usage()).toHaveLength(2);
  });

  test('is written many calls at once, and at the end what is left', async () => {
    const ledger = createLedger({ db, plan, now: () => now, log: silentLog });
    for (let index = 0; index < 7; index += 1) await ledger.record(finishedCall(call, {}));
    expect(await calls()).toEqual([]);
    await ledger.stop();
    expect(await calls()).toHaveLength(7);
    expect(await usage()).toEqual([{ key: '2026-03-01', calls: 7, tokens: 7 }]);
  });

  test('counts no call twice when those of another company cannot be entered', async () => {
    const other = await connect(newId('ws', WorkspaceId), `lame${call.companyId}`);
    const ledger = createLedger({ db, plan, now: () => now, log: silentLog });
    await ledger.record(finishedCall(call, {}));
    const lame = { ...finishedCall(other, {}), priceTokens: 3e9 };
    await ledger.record(lame);
    await ledger.record(finishedCall(other, {}));
    await ledger.stop().catch(() => undefined);
    await ledger.stop();
    expect(await usage()).toEqual([{ key: '2026-03-01', calls: 1, tokens: 1 }]);
    expect(await dayOfWorkspace(other)).toMatchObject({ spent_tokens: 1 });
  });

  test('remembers an answer that tells to stop while it cannot be entered', async () => {
    const away = connectDatabase<Tables>('postgres://nobody@127.0.0.1:9/none');
    const ledger = createLedger({ db: away, plan, now: () => now, log: silentLog });
    const blocked = finishedCall(call, { outcome: 'blocked', status: 403 });
    await ledger.record(blocked).catch(() => undefined);
    expect(ledger.restOf(call)).toMatchObject({ admitted: false, reason: 'pipedrive_blocked' });
    expect(ledger.restOf({ ...call, credential: 'another' })).toBeUndefined();
    await away.destroy();
  });

  test('takes a limit no number of the database can hold for the largest there is', async () => {
    const limits = { burstLimit: 9e9, dailyTokenLimit: 9e12, dailyTokensRemaining: -1 };
    await record({ limits });
    expect(await dayOfWorkspace()).toMatchObject({
      learned_limit: 2_147_483_647,
      learned_remaining: 0,
    });
  });

  test('knows at once of an answer that tells to stop', async () => {
    const ledger = createLedger({ db, plan, now: () => now, log: silentLog });
    await ledger.record(finishedCall(call, { outcome: 'blocked', status: 403 }));
    expect(await scoped((tx) => findWindow(tx, call.connectionId))).toMatchObject({ blocks: 1 });
    await ledger.stop();
  });
});

// builders

/** A connection by API token with a grant of its own. */
async function connect(workspaceId: WorkspaceId, companyId: string): Promise<PlannedCall> {
  const id = newId('cn', ConnectionId);
  const row = connectionRow(workspaceId, { id, company_id: companyId, pipedrive_user_id: id });
  await withWorkspace(db, workspaceId, (tx) => insertConnection(tx, { ...row, grant_id: id }));
  return {
    workspaceId,
    connectionId: id,
    companyId,
    credential: id,
    method: 'API_TOKEN',
    operation: 'getPerson',
    lane: 'interactive',
    feature: 'contacts',
  };
}

const admit = (one: PlannedCall, time = now) => admitCall(db, one, { now: time, plan });

const record = (change: Parameters<typeof finishedCall>[1], time = now) =>
  recordCall(db, finishedCall(call, change), { now: time, plan });

const dayOfWorkspace = (of = call) =>
  withWorkspace(db, of.workspaceId, (tx) => findDay(tx, of.companyId, '2026-03-01'));

async function told(): Promise<unknown[]> {
  const events = await listEvents(db, call.workspaceId);
  return events
    .filter(({ name }) => name === 'connections.budget_changed.v1')
    .map(({ payload }) => payload);
}

/** A clock that goes on each time somebody looks. */
function tickingFrom(start: Date, stepMs: number): () => Date {
  let time = start.getTime();
  return () => {
    time += stepMs;
    return new Date(time);
  };
}
