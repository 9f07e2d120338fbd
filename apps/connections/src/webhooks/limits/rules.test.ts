import { expect, test } from 'vitest';
import { createAdmission } from './admission.ts';
import { type Bucket, FAMILIAR, STRANGERS, takeOne } from './rules.ts';

const allowance = { perSecond: 2, burst: 3 };
const take = (bucket: Bucket | undefined, nowMs: number) => takeOne(bucket, allowance, nowMs);

test('a full bucket gives its burst at once, then one after another as it fills', () => {
  let bucket: Bucket | undefined;
  const waits = [0, 0, 0, 0, 250, 500, 500].map((nowMs) => {
    const taken = take(bucket, nowMs);
    bucket = taken.bucket;
    return taken.waitMs;
  });
  expect(waits).toEqual([0, 0, 0, 500, 250, 0, 500]);
});

test('a bucket holds no more than its burst, and a clock put back changes nothing', () => {
  expect(take({ tokens: 0, atMs: 0 }, 1e9).bucket.tokens).toBe(allowance.burst - 1);
  expect(take({ tokens: 0, atMs: 1_000 }, 0)).toMatchObject({ waitMs: 500 });
});

const right = { path: 'p', authorization: 'right' };
const open = () => createAdmission(() => new Date(0));

test('a flood of forged deliveries, at one address or many, leaves the right ones alone', () => {
  const { admit, learn } = open();
  expect(admit(right)).toBe(0);
  learn(right, true);
  const waits = Array.from({ length: STRANGERS.burst + 10 }, (_, n) =>
    admit({ path: n % 2 === 0 ? 'p' : `q${n}`, authorization: `wrong ${n}` }),
  );
  expect(waits.filter((seconds) => seconds > 0)).toHaveLength(11);
  expect(admit(right)).toBe(0);
});

test('the right ones are bounded too, and a password that is right no longer loses its place', () => {
  const { admit, learn } = open();
  learn(right, true);
  const waits = Array.from({ length: FAMILIAR.burst + 5 }, () => admit(right));
  expect(waits.filter((seconds) => seconds > 0)).toHaveLength(5);
  expect(waits.at(-1)).toBe(1);
  learn(right, false);
  expect(admit(right)).toBe(0);
});

test('what is remembered is bounded: the one not heard of for longest is a stranger again', () => {
  const { admit, learn } = open();
  for (let n = 0; n <= 10_000; n += 1) learn({ path: `${n}`, authorization: '' }, true);
  for (let n = 0; n < STRANGERS.burst; n += 1) admit({ path: 'x', authorization: '' });
  expect(admit({ path: '0', authorization: '' })).toBe(1);
  expect(admit({ path: '1', authorization: '' })).toBe(0);
});
