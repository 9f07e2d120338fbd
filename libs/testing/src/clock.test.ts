import { afterAll, expect, test } from 'vitest';
import { createClock, startTestPipedrive } from './index.ts';

const pipedrive = await startTestPipedrive({ timeFactor: 1_000 });
afterAll(() => pipedrive.stop());

test('a clock of factor 1 is the real one', () => {
  const { now, realMs } = createClock({ factor: 1 });
  const before = Date.now();
  const shown = now().getTime();
  expect([shown >= before, shown <= Date.now(), realMs(25)]).toEqual([true, true, 25]);
});

test('a faster clock shows the real time at its start and runs away from it', () => {
  const start = new Date(Date.now() - 5_000);
  const shown = createClock({ factor: 100, start }).now().getTime() - start.getTime();
  expect(shown).toBeGreaterThanOrEqual(500_000);
  expect(createClock({ factor: 100 }).realMs(2_000)).toBe(20);
});

test('clocks of one factor agree with the local Pipedrive of that factor', async () => {
  const clock = createClock({ factor: 1_000 });
  const before = clock.now();
  const response = await fetch(`${pipedrive.controlUrl}/state`);
  const state: { now: string; timeFactor: number } = JSON.parse(await response.text());
  const after = clock.now();
  expect(state.timeFactor).toBe(1_000);
  expect(new Date(state.now).getTime()).toBeGreaterThanOrEqual(before.getTime());
  expect(new Date(state.now).getTime()).toBeLessThanOrEqual(after.getTime());
});

test('a clock cannot stand still', () => {
  expect(() => createClock({ factor: 0 })).toThrow('positive');
});
