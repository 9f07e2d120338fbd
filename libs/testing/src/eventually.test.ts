import { expect, test } from 'vitest';
import { eventually } from './index.ts';

test('an assertion is repeated until it holds, and gives its answer', async () => {
  let attempts = 0;
  const answer = await eventually(async () => {
    attempts += 1;
    expect(attempts).toBe(3);
    return 'held';
  });
  expect(answer).toBe('held');
});

test('an assertion that never holds fails in time with its own last error', async () => {
  let attempts = 0;
  const begun = performance.now();
  const never = eventually(
    () => {
      attempts += 1;
      throw new Error(`attempt ${attempts}`);
    },
    { timeoutMs: 100 },
  );
  await expect(never).rejects.toThrow(/attempt \d/);
  expect(attempts).toBeGreaterThan(1);
  expect(performance.now() - begun).toBeGreaterThanOrEqual(100);
});
