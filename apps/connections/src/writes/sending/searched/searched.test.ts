import { createTestDatabase, eventually, silentLog, startTestPipedrive } from '@manifold/testing';
import { afterAll, expect, test } from 'vitest';
import { createBystander } from '../../../../test/bystander.ts';
import { personStep } from '../../../../test/write-commands.ts';
import { createWorld } from '../../../../test/writing.ts';
import { planOf } from '../../../budget/rules.ts';
import { migrations } from '../../../migrations/index.ts';
import type { Tables } from '../../../store.ts';
import { keptSearched, readSearched } from './searched.ts';

const { db, drop } = await createTestDatabase<Tables>(migrations);
const pipedrive = await startTestPipedrive({ searchLagMs: 0 });
const bystander = createBystander(pipedrive);
const plan = planOf({ plan: 'lite', seats: 1, dailyTokens: undefined });
const world = await createWorld({ db, pipedrive, log: silentLog, eventually, plan });
let stop = () => Promise.resolve();

afterAll(async () => {
  await stop();
  await pipedrive.stop();
  await drop();
});

const PERSONS = 18;

test('in a narrow window of calls each person is searched for once, however long its change waits', async () => {
  const emails = Array.from({ length: PERSONS }, (_, index) => `known${index}@example.test`);
  for (const value of emails) {
    await bystander.create('person', { name: 'Old', emails: [{ value, primary: true }] });
  }
  const before = await bystander.ledger();
  const stored = [];
  for (const email of emails) {
    stored.push(await world.submit({ lane: 'event', steps: [personStep(email)] }));
  }
  ({ stop } = world.startWorker());
  for (const { writeRequestId } of stored) await world.settled(writeRequestId);

  const { tokens, operations } = await bystander.ledger();
  const searches = operations.find(({ operation }) => operation === 'v2 searchPersons');
  expect(searches?.requests).toBe(PERSONS);
  // a search, a look at the record and a change of it; now and then one more look
  expect((tokens - before.tokens) / PERSONS).toBeLessThanOrEqual(28);
}, 60_000);

test('what a search has shown is kept for seconds', () => {
  const at = Date.parse('2026-03-01T12:00:00Z');
  const kept = keptSearched(new Map([['hash', { at, ids: ['7'] }]]));
  expect(readSearched(kept, new Date(at + 9_000)).get('hash')?.ids).toEqual(['7']);
  expect(readSearched(kept, new Date(at + 11_000)).size).toBe(0);
  expect(keptSearched(readSearched(null, new Date(at)))).toBeNull();
});
