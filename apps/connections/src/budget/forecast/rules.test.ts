import { expect, test } from 'vitest';
import { type Capacity, type Demand, forecast } from './rules.ts';

const now = new Date('2026-03-03T22:00:00Z');
const after = (seconds: number) => new Date(now.getTime() + seconds * 1_000);
const midnight = new Date('2026-03-04T00:00:00Z');

test('a job takes as long as the window of bulk, 76 of 80 calls in two seconds, allows', () => {
  expect(one(bulk(3_800))).toEqual({ startsAt: now, endsAt: after(100), waitsForDay: false });
});

test('searches have a window of their own, and it is the tighter one', () => {
  expect(one(bulk(800, { searches: 400 })).endsAt).toEqual(after(100));
});

test.each<[string, number, number]>([
  // 27,000 tokens of a day are for bulk: 5,400 calls
  ['the next day', 1_000, 0],
  ['two days later', 7_000, 1],
  ['a week later', 40_000, 7],
])('a job that today’s tokens do not cover ends %s', (_, calls, days) => {
  const estimate = one(bulk(calls), { remainingTokens: 5_000 });
  const today = 2_000;
  const lastDay = (calls * 5 - today - days * 27_000) / 5;
  expect(estimate.waitsForDay).toBe(true);
  expect(estimate.endsAt.getTime()).toBeCloseTo(
    midnight.getTime() + days * 86_400_000 + (lastDay / 38) * 1_000,
    -1,
  );
});

test('a job too long for the hours left goes on at midnight without waiting for tokens', () => {
  const rich = { dailyTokens: 10_000_000, remainingTokens: 10_000_000 };
  const twoHours = 2 * 3_600 * 38;
  expect(one(bulk(twoHours + 380), rich)).toEqual({
    startsAt: now,
    endsAt: after(2 * 3_600 + 10),
    waitsForDay: false,
  });
});

test('nothing starts before a pause is over, with the tokens of the day it ends on', () => {
  const pausedUntil = new Date('2026-03-04T01:00:00Z');
  expect(one(bulk(76), { remainingTokens: 0, pausedUntil })).toEqual({
    startsAt: pausedUntil,
    endsAt: new Date('2026-03-04T01:00:02Z'),
    waitsForDay: false,
  });
});

test('where nobody knows the tokens of the day, the windows alone are the limit', () => {
  const unknown = { dailyTokens: null, remainingTokens: null };
  expect(one(bulk(38_000), unknown).endsAt).toEqual(after(1_000));
});

test('of one lane a short job ends long before a long one that was there first', () => {
  const [long, short] = forecast([bulk(3_800), bulk(38)], capacity, now);
  expect(short?.endsAt).toEqual(after(2));
  expect(long?.endsAt).toEqual(after(101));
});

test('a lane waits for those before it', () => {
  const [later, first] = forecast([bulk(760), bulk(780, { lane: 'event' })], capacity, now);
  expect(first?.endsAt).toEqual(after(20));
  expect(later).toMatchObject({ startsAt: after(20), endsAt: after(40) });
});

test('the reserve of the day is for what is more urgent: bulk waits for the next day, people do not', () => {
  const spent = { remainingTokens: 2_000 };
  expect(one(bulk(80), spent)).toMatchObject({ waitsForDay: true });
  expect(one(bulk(80, { lane: 'interactive' }), spent).endsAt).toEqual(after(2));
});

test('work that can never end is said to end about a year from now', () => {
  const estimate = one(bulk(76), { dailyTokens: 0, remainingTokens: 0 });
  expect(estimate.waitsForDay).toBe(true);
  expect(estimate.endsAt.getUTCFullYear()).toBe(2027);
});

// builders

const capacity: Capacity = {
  burstLimit: 80,
  dailyTokens: 30_000,
  remainingTokens: 30_000,
  pausedUntil: null,
};

const bulk = (calls: number, change: Partial<Demand> = {}): Demand => ({
  lane: 'bulk',
  calls,
  tokens: calls * 5,
  searches: 0,
  ...change,
});

function one(demand: Demand, change: Partial<Capacity> = {}) {
  const [estimate] = forecast([demand], { ...capacity, ...change }, now);
  if (estimate === undefined) throw new Error('nothing was estimated');
  return estimate;
}
