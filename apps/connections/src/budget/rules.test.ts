import { describe, expect, test } from 'vitest';
import { chargeOf, decidePause, learnRemaining, pauseOf } from './answers/rules.ts';
import {
  balanceOf,
  type Day,
  decideAdmission,
  nextMidnight,
  planOf,
  SEARCH_LIMIT,
  type Slots,
  usedOf,
} from './rules.ts';
import type { Lane } from './tables.ts';

const now = new Date('2026-03-01T10:00:00.050Z');
const at = (ms: number) => new Date(now.getTime() + ms);
const slotOf = (time: Date) => Math.floor(time.getTime() / 100);

describe('a window of two seconds', () => {
  test.each<[Lane, number]>([
    ['interactive', 80],
    ['event', 76],
    ['bulk', 72],
  ])('lets %s have %i of 80 calls', (lane, most) => {
    expect(callsUntilFull(lane, 80)).toBe(most);
  });

  test('keeps some of a small window for people', () => {
    expect(callsUntilFull('bulk', 20)).toBe(17);
    expect(callsUntilFull('interactive', 20)).toBe(20);
  });

  test('never holds more than its limit in any two seconds, whenever calls are asked for', () => {
    let burst: Slots = [];
    const admitted: number[] = [];
    for (let ms = 0; ms < 10_000; ms += 7) {
      const decision = admit({ burst, time: at(ms) });
      if (!decision.admitted) continue;
      burst = decision.burst;
      admitted.push(ms);
    }
    for (const start of admitted) {
      const inWindow = admitted.filter((ms) => ms >= start && ms < start + 2_000);
      expect(inWindow.length).toBeLessThanOrEqual(20);
    }
    expect(admitted.length).toBeGreaterThan(85);
  });

  test('says when there is room again, and there is', () => {
    const full: Slots = [[slotOf(now), 20]];
    const decision = admit({ burst: full });
    if (decision.admitted) throw new Error('admitted');
    expect(decision.reason).toBe('burst_limited');
    expect(decision.until.getTime()).toBeLessThanOrEqual(at(2_100).getTime());
    expect(admit({ burst: full, time: decision.until }).admitted).toBe(true);
  });

  test('of searches is its own and fuller sooner', () => {
    const search: Slots = [[slotOf(now), SEARCH_LIMIT]];
    expect(admit({ search, isSearch: true }).admitted).toBe(false);
    expect(admit({ search, isSearch: false }).admitted).toBe(true);
  });

  test('counts what is in it and nothing older', () => {
    const slots: Slots = [
      [slotOf(at(-2_500)), 5],
      [slotOf(at(-1_000)), 3],
      [slotOf(now), 1],
    ];
    expect(usedOf(slots, now)).toBe(4);
  });
});

describe('the day', () => {
  test.each<[string, Lane, Partial<Day>, number | null, boolean]>([
    ['unknown limit stops nobody', 'bulk', { spent_tokens: 1_000_000 }, null, true],
    ['bulk stops at its reserve', 'bulk', { spent_tokens: 896 }, 1_000, false],
    ['bulk goes on above its reserve', 'bulk', { spent_tokens: 895 }, 1_000, true],
    ['events stop later', 'event', { spent_tokens: 975 }, 1_000, true],
    ['people have the rest', 'interactive', { spent_tokens: 995 }, 1_000, true],
    ['people too stop at the end', 'interactive', { spent_tokens: 996 }, 1_000, false],
    [
      'calls under way count',
      'interactive',
      { spent_tokens: 900, reserved_tokens: 96 },
      1_000,
      false,
    ],
    [
      'what Pipedrive says counts before our own sum',
      'interactive',
      { spent_tokens: 10, learned_remaining: 4 },
      1_000,
      false,
    ],
    [
      'the limit Pipedrive says counts',
      'interactive',
      { spent_tokens: 996, learned_limit: 5_000 },
      1_000,
      true,
    ],
  ])('%s', (...[, lane, day, dailyTokens, admitted]) => {
    const decision = admit({ lane, days: [dayWith(day)], dailyTokens });
    expect(decision.admitted).toBe(admitted);
    if (!decision.admitted) {
      expect(decision).toMatchObject({ reason: 'budget_spent', until: nextMidnight(now) });
    }
  });

  test('is one for all workspaces of a company', () => {
    const days = [dayWith({ spent_tokens: 500 }), dayWith({ spent_tokens: 498 })];
    expect(admit({ lane: 'interactive', days, dailyTokens: 1_000 }).admitted).toBe(false);
    expect(balanceOf(days, 1_000)).toEqual({ limit: 1_000, spent: 998, remaining: 2 });
  });

  test('that is paused stops everybody until then', () => {
    const days = [dayWith({ paused_until: at(1_000) })];
    expect(admit({ lane: 'interactive', days })).toMatchObject({
      until: at(1_000),
      reason: 'budget_spent',
    });
    expect(pauseOf(days, undefined, now)).toEqual({ until: at(1_000), reason: 'budget_spent' });
    expect(pauseOf(days, undefined, at(1_001))).toBeUndefined();
  });
});

test.each([
  ['spent by ourselves', 100, { remaining: undefined, charged: 5, limit: 1_000 }, 95],
  ['unknown while nothing is said', null, { remaining: undefined, charged: 5, limit: null }, null],
  ['spent by others too', 100, { remaining: 60, charged: 5, limit: 1_000 }, 60],
  ['an answer that was overtaken', 60, { remaining: 58, charged: 5, limit: 1_000 }, 55],
  ['a day that turned over', 10, { remaining: 990, charged: 5, limit: 1_000 }, 990],
])('the rest of the day is learned: %s', (_, known, heard, remaining) => {
  expect(learnRemaining(known, heard)).toBe(remaining);
});

describe('after an answer', () => {
  test('that is no limit nothing rests', () => {
    expect(decidePause({ outcome: 'ok', limited: undefined }, now)).toEqual({ pause: 'none' });
  });
  test('of a full window the credential rests as long as told', () => {
    expect(
      decidePause({ outcome: 'limited', limited: { kind: 'burst', retryAfterMs: 2_000 } }, now),
    ).toEqual({ pause: 'credential', until: at(2_000), reason: 'burst_limited' });
  });
  test('of a spent day the company rests, until midnight at most', () => {
    expect(
      decidePause({ outcome: 'limited', limited: { kind: 'daily', retryAfterMs: 900_000 } }, now),
    ).toEqual({ pause: 'company', until: at(15 * 60_000) });
    const late = new Date('2026-03-01T23:55:00Z');
    expect(
      decidePause({ outcome: 'limited', limited: { kind: 'daily', retryAfterMs: 900_000 } }, late),
    ).toEqual({ pause: 'company', until: nextMidnight(late) });
  });
  test('from the edge, in HTML, the credential stops', () => {
    expect(decidePause({ outcome: 'blocked', limited: undefined }, now)).toMatchObject({
      pause: 'credential',
      reason: 'pipedrive_blocked',
    });
  });
});

test.each([
  ['ok', 5],
  ['refused', 5],
  ['unknown', 5],
  ['unavailable', 5],
  ['limited', 0],
  ['unauthorized', 0],
  ['not_sent', 0],
])('a call that ended %s is charged %i', (outcome, tokens) => {
  expect(chargeOf({ priceTokens: 5, outcome })).toBe(tokens);
});

test('the day of a plan is known once the number of seats is', () => {
  expect(planOf({ plan: 'growth', seats: 3, dailyTokens: undefined }).dailyTokens).toBe(180_000);
  expect(
    planOf({ plan: 'growth', seats: undefined, dailyTokens: undefined }).dailyTokens,
  ).toBeNull();
  expect(planOf({ plan: 'lite', seats: 1, dailyTokens: 777 }).dailyTokens).toBe(777);
});

// builders

const dayWith = (day: Partial<Day>): Day => ({
  spent_tokens: 0,
  reserved_tokens: 0,
  learned_limit: null,
  learned_remaining: null,
  paused_until: null,
  ...day,
});

function admit(call: {
  lane?: Lane;
  limit?: number;
  burst?: Slots;
  search?: Slots;
  isSearch?: boolean;
  days?: Day[];
  dailyTokens?: number | null;
  time?: Date;
}) {
  return decideAdmission({
    lane: call.lane ?? 'interactive',
    priceTokens: 5,
    isSearch: call.isSearch ?? false,
    window: {
      burstLimit: call.limit ?? 20,
      burst: call.burst ?? [],
      search: call.search ?? [],
      pausedUntil: null,
      pauseReason: 'burst_limited',
    },
    days: call.days ?? [],
    dailyTokens: call.dailyTokens ?? null,
    now: call.time ?? now,
  });
}

function callsUntilFull(lane: Lane, limit: number): number {
  let burst: Slots = [];
  for (let calls = 0; calls < 1_000; calls += 1) {
    const decision = admit({ lane, limit, burst });
    if (!decision.admitted) return calls;
    burst = decision.burst;
  }
  return Number.POSITIVE_INFINITY;
}
