import { ConnectionId, WorkspaceId } from '@manifold/contracts';
import { newId, withWorkspace } from '@manifold/database';
import { createTestDatabase } from '@manifold/testing';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { finishedCall } from '../../../test/finished-calls.ts';
import { connectionRow } from '../../../test/rows.ts';
import { insertConnection } from '../../accounts/store.ts';
import { migrations } from '../../migrations/index.ts';
import type { Tables } from '../../store.ts';
import { admitCall } from '../admitting.ts';
import type { PlannedCall } from '../commands.ts';
import { recordCall } from '../entering.ts';
import type { BudgetPlan } from '../rules.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const now = new Date('2026-03-01T10:00:00Z');
const at = (minutes: number) => new Date(now.getTime() + minutes * 60_000);
const plan: BudgetPlan = { burst: { OAUTH: 80, API_TOKEN: 20 }, dailyTokens: 1_000 };
let call: PlannedCall;
/** When the pause was over and one call went to look. */
let lookedAt: Date;

beforeEach(async () => {
  call = await connect();
  const limits = { burstLimit: 20, burstRemaining: 5 };
  await record({ outcome: 'limited', status: 429, limits }, now);
  lookedAt = at(16);
  expect(await admit(at(14))).toMatchObject({ admitted: false, reason: 'budget_spent' });
  expect(await admit(lookedAt)).toMatchObject({ admitted: true });
  expect(await admit(lookedAt)).toMatchObject({ admitted: false, reason: 'budget_spent' });
});
afterAll(drop);

test.each(['ok', 'refused', 'scope_missing'] as const)(
  'after a pause of the day all go on as soon as one call is answered: %s',
  async (outcome) => {
    await record({ outcome, admittedAt: lookedAt }, lookedAt);
    expect(await admit(lookedAt)).toMatchObject({ admitted: true });
    expect(await admit(lookedAt)).toMatchObject({ admitted: true });
  },
);

test.each(['not_sent', 'unknown', 'unavailable', 'unauthorized'] as const)(
  'a look that came to nothing is taken again soon: %s',
  async (outcome) => {
    await record({ outcome, admittedAt: lookedAt }, lookedAt);
    expect(await admit(at(17))).toMatchObject({ admitted: false, reason: 'budget_spent' });
    expect(await admit(at(18))).toMatchObject({ admitted: true });
    expect(await admit(at(18))).toMatchObject({ admitted: false, reason: 'budget_spent' });
  },
);

test('a look whose end nobody told, as its process is gone, is taken again soon', async () => {
  expect(await admit(at(18))).toMatchObject({ admitted: false, reason: 'budget_spent' });
  expect(await admit(at(20))).toMatchObject({ admitted: true });
});

// builders

async function connect(): Promise<PlannedCall> {
  const workspaceId = newId('ws', WorkspaceId);
  const id = newId('cn', ConnectionId);
  const row = connectionRow(workspaceId, { id, company_id: id.slice(-32) });
  await withWorkspace(db, workspaceId, (tx) => insertConnection(tx, { ...row, grant_id: id }));
  return {
    workspaceId,
    connectionId: id,
    companyId: id.slice(-32),
    credential: id,
    method: 'API_TOKEN',
    operation: 'getPerson',
    lane: 'interactive',
    feature: 'contacts',
  };
}

const admit = (time: Date) => admitCall(db, call, { now: time, plan });

const record = (change: Parameters<typeof finishedCall>[1], time: Date) =>
  recordCall(db, finishedCall(call, change), { now: time, plan });
