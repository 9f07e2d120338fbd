import type { WorkspaceId } from '@manifold/contracts';
import { describe, expect, test } from 'vitest';
import {
  chargeOf,
  decidePause,
  decideThreshold,
  endsBlock,
  learnRemaining,
  pauseOf,
} from './answers/rules.ts';
import { effectivePlan } from './plans/rules.ts';
import {
  balanceOf,
  type Day,
  decideAdmission,
  nextMidnight,
  planOf,
  SEARCH_LIMIT,
  type Window,
} from './rules.ts';
import type { Lane } from './tables.ts';
import { decideAdmissions, inTurn } from './turns/rules.ts';
import { SLOT_MS, type Slots } from './windows/rules.ts';

const now = new Date('2026-03-01T10:00:00.050Z');
const at = (ms: number) => new Date(now.getTime() + ms);
const HOUR_MS = 3_600_000;
const slotOf = (time: Date) => Math.floor(time.getTime() / SLOT_MS);

describe('a window of two seconds', () => {
  test.each<[Lane, number, number]>([
    ['interactive', 80, 80],
    ['event', 80, 78],
    ['bulk', 80, 76],
    ['interactive', 20, 20],
    ['bulk', 20, 18],
  ])('lets %s have, of %i calls, %i', (lane, limit, most) => {
    expect(callsUntilFull(lane, limit)).toBe(most);
  });

  test('of searches is its own and fuller sooner', () => {
    const search: Slots = [[slotOf(now), SEARCH_LIMIT]];
    expect(admit({ window: { search }, isSearch: true }).admitted).toBe(false);
    expect(admit({ window: { search } }).admitted).toBe(true);
  });
});

describe('the day', () => {
  test.each<[string, Lane, Partial<Day>, number | null, boolean]>([
    ['unknown limit stops nobody', 'bulk', { spent: 1_000_000 }, null, true],
    ['bulk stops at its reserve', 'bulk', { spent: 896 }, 1_000, false],
    ['bulk goes on above its reserve', 'bulk', { spent: 895 }, 1_000, true],
    ['events stop later', 'event', { spent: 975 }, 1_000, true],
    ['people have the rest', 'interactive', { spent: 995 }, 1_000, true],
    ['people too stop at the end', 'interactive', { spent: 996 }, 1_000, false],
    ['calls under way count', 'interactive', { spent: 900, reserved: 96 }, 1_000, false],
    ['what Pipedrive says counts', 'interactive', { spent: 10, learnedRemaining: 4 }, 1_000, false],
    ['so does its limit', 'interactive', { spent: 996, learnedLimit: 5_000 }, 1_000, true],
  ])('%s', (...[, lane, day, dailyTokens, admitted]) => {
    const decision = admit({ lane, day, dailyTokens });
    expect(decision.admitted).toBe(admitted);
    if (!decision.admitted) {
      // people look every hour whether tokens were bought
      const until = lane === 'interactive' ? at(HOUR_MS) : nextMidnight(now);
      expect(decision).toMatchObject({ reason: 'budget_spent', until });
    }
  });

  test('that is paused stops everybody until then', () => {
    const day = { pausedUntil: at(1_000) };
    const refused = { until: at(1_000), reason: 'budget_spent' };
    expect(admit({ lane: 'interactive', day })).toMatchObject(refused);
    const paused = { paused_until: at(1_000), probe_at: null };
    expect(pauseOf(paused, undefined, now)).toEqual(refused);
    expect(pauseOf(paused, undefined, at(1_001))).toBeUndefined();
    expect(pauseOf({ ...paused, probe_at: at(5_000) }, undefined, at(1_001))).toEqual({
      until: at(5_000),
      reason: 'budget_spent',
    });
  });

  test.each([
    [{ limit: 1_000, spent: 499, remaining: 501 }, 0, undefined],
    [{ limit: 1_000, spent: 0, remaining: 200 }, 0, 80],
    [{ limit: 1_000, spent: 800, remaining: null }, 80, undefined],
    [{ limit: 1_000, spent: 1_001, remaining: 0 }, 75, 100],
    [{ limit: 1_000, spent: 1_001, remaining: 0 }, 100, undefined],
    [{ limit: null, spent: 9_999, remaining: null }, 0, undefined],
  ])('of which %j is known, and %i %% was told, has passed %s', (balance, told, percent) => {
    expect(decideThreshold(balance, told)).toBe(percent);
  });
});

describe('calls that ask at the same time', () => {
  const [a, b] = ['ws_a' as WorkspaceId, 'ws_b' as WorkspaceId];

  test('go lane by lane, and within a lane one workspace as often as another', () => {
    const calls = [
      ...[1, 2, 3].map(() => ({ lane: 'bulk' as const, workspaceId: a })),
      { lane: 'bulk' as const, workspaceId: b },
      { lane: 'event' as const, workspaceId: a },
      { lane: 'interactive' as const, workspaceId: b },
    ];
    expect(inTurn(calls)).toEqual([5, 4, 0, 3, 1, 2]);
  });

  test('share what is left of the day', () => {
    const call = { workspaceId: a, credential: 'c', method: 'OAUTH', lane: 'interactive' } as const;
    const calls = [1, 2, 3].map(() => ({ ...call, priceTokens: 5, isSearch: false }));
    const plans = new Map([[a, { ...planOf(lite), dailyTokens: 10 }]]);
    const windows = new Map([['c', windowWith({})]]);
    const { answers, reservedTokens } = decideAdmissions(
      calls,
      { windows, day: dayWith({}), plans },
      now,
    );
    expect(answers.map(({ admitted }) => admitted)).toEqual([true, true, false]);
    expect(reservedTokens.get(a)).toBe(10);
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
  const working = { pausedUntil: null, blocks: 0 };
  const burst = { outcome: 'limited', limited: { kind: 'burst', retryAfterMs: 2_000 } } as const;

  test('that is no limit nothing rests', () => {
    const answer = { outcome: 'ok', limited: undefined, isWindowKnown: false };
    expect(decidePause(answer, working, now)).toEqual({ pause: 'none' });
  });
  test('of a full window the credential rests as long as told', () => {
    expect(decidePause({ ...burst, isWindowKnown: false }, working, now)).toMatchObject({
      pause: 'credential',
      until: at(2_000),
      reason: 'burst_limited',
    });
  });
  test('that tells how full the window is, the window says when to go on', () => {
    expect(decidePause({ ...burst, isWindowKnown: true }, working, now)).toEqual({ pause: 'none' });
  });
  test('of a spent day the company rests, until midnight at most', () => {
    const limited = { kind: 'daily', retryAfterMs: 900_000 } as const;
    const answer = { outcome: 'limited', limited, isWindowKnown: true };
    const pause = { pause: 'company', until: at(15 * 60_000) };
    expect(decidePause(answer, working, now)).toEqual(pause);
    const late = new Date('2026-03-01T23:55:00Z');
    expect(decidePause(answer, working, late)).toEqual({ ...pause, until: nextMidnight(late) });
  });
});

describe('after a page from the edge', () => {
  const blocked = { outcome: 'blocked', limited: undefined, isWindowKnown: false };

  test.each([1, 5, 15, 60, 60].map((minutes, blocks) => ({ minutes, blocks })))(
    'the credential stops for $minutes minutes when it was turned away $blocks times before',
    ({ minutes, blocks }) => {
      expect(decidePause(blocked, { pausedUntil: null, blocks }, now)).toEqual({
        pause: 'credential',
        until: at(minutes * 60_000),
        reason: 'pipedrive_blocked',
        blocks: blocks + 1,
      });
    },
  );

  test('calls that were on their way make the pause no longer', () => {
    const paused = { pausedUntil: at(50_000), blocks: 1 };
    expect(decidePause(blocked, paused, now)).toEqual({ pause: 'none' });
  });

  test('one call looks whether it is over, and the others wait for it', () => {
    const window = { pausedUntil: at(-1), pauseReason: 'pipedrive_blocked', blocks: 1 } as const;
    const probe = admit({ window });
    if (!probe.admitted) throw new Error('no probe');
    expect(admit({ window: { ...window, ...probe.window } })).toMatchObject({
      admitted: false,
      until: at(60_000),
      reason: 'pipedrive_blocked',
    });
  });

  test.each([
    ['ok', true],
    ['refused', true],
    ['limited', true],
    ['blocked', false],
    ['not_sent', false],
    ['unknown', false],
  ])('a probe that ends %s ends the block: %s', (outcome, ends) => {
    expect(endsBlock(outcome, { blocks: 1, pausedUntil: at(-1) }, now)).toBe(ends);
    expect(endsBlock(outcome, { blocks: 1, pausedUntil: at(1) }, now)).toBe(false);
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
  expect(planOf({ ...lite, dailyTokens: 777 }).dailyTokens).toBe(777);
});

test('what a workspace says about its company comes before what the installation assumes', () => {
  const said = { plan: 'premium', seats: 2, top_up_tokens: 50_000 } as const;
  expect(effectivePlan(undefined, planOf(lite)).dailyTokens).toBe(30_000);
  expect(effectivePlan(said, planOf(lite))).toEqual({
    burst: { OAUTH: 400, API_TOKEN: 100 },
    dailyTokens: 350_000,
  });
});

test('a balance is what Pipedrive said last, else what we counted', () => {
  const counted = { spent: 100, learnedLimit: null, learnedRemaining: null };
  expect(balanceOf(counted, 1_000)).toEqual({ limit: 1_000, spent: 100, remaining: 900 });
  expect(balanceOf({ ...counted, learnedRemaining: 7 }, 1_000).remaining).toBe(7);
});

// builders

const lite = { plan: 'lite', seats: 1, dailyTokens: undefined } as const;

const dayWith = (day: Partial<Day>): Day => ({
  spent: 0,
  reserved: 0,
  learnedLimit: null,
  learnedRemaining: null,
  pausedUntil: null,
  probeAt: null,
  ...day,
});

const windowWith = (window: Partial<Window>): Window => ({
  burstLimit: 20,
  burst: [],
  search: [],
  pausedUntil: null,
  pauseReason: 'burst_limited',
  blocks: 0,
  probeUntil: null,
  ...window,
});

const admit = (call: {
  lane?: Lane;
  window?: Partial<Window>;
  isSearch?: boolean;
  day?: Partial<Day>;
  dailyTokens?: number | null;
  time?: Date;
}) =>
  decideAdmission({
    lane: call.lane ?? 'interactive',
    priceTokens: 5,
    isSearch: call.isSearch ?? false,
    window: windowWith(call.window ?? {}),
    day: dayWith(call.day ?? {}),
    dailyTokens: call.dailyTokens ?? null,
    now: call.time ?? now,
  });

/** Asking again and again for less than two seconds. */
function callsUntilFull(lane: Lane, burstLimit: number): number {
  let window: Partial<Window> = { burstLimit };
  let calls = 0;
  for (let ms = 0; ms < 1_950; ms += 5) {
    const decision = admit({ lane, window, time: at(ms) });
    if (!decision.admitted) continue;
    window = { ...window, ...decision.window };
    calls += 1;
  }
  return calls;
}
