import { newId } from '@manifold/database';
import { WorkspaceId } from '@manifold/contracts';
import { expect, test } from 'vitest';
import { planOf, type Window } from '../rules.ts';
import type { Lane } from '../tables.ts';
import { type Asking, decideAdmissions } from './rules.ts';

const start = new Date('2026-03-01T10:00:00.050Z').getTime();
const WINDOW_MS = 2_000;
const RUN_MS = 10 * WINDOW_MS;
/** Somebody at a screen, beside bulk work that asks all the time. */
const PERSON_EVERY_MS = 700;

test.each([
  ['lite', 'OAUTH', 80],
  ['lite', 'API_TOKEN', 20],
  ['ultimate', 'OAUTH', 480],
] as const)(
  'bulk work on %s by %s uses nine tenths of a window, and no window ever holds more than %i',
  (planName, method, limit) => {
    const { admitted } = run({ planName, method });

    const full = admitted.filter(({ ms }) => ms >= WINDOW_MS);
    expect(full.length / (limit * (RUN_MS / WINDOW_MS - 1))).toBeGreaterThan(
      // a tenth of so few calls is kept for people
      limit === 20 ? 0.85 : 0.9,
    );
    for (const { ms } of admitted) {
      const inWindow = admitted.filter((other) => other.ms >= ms && other.ms < ms + WINDOW_MS);
      expect(inWindow.length).toBeLessThanOrEqual(limit);
    }
  },
);

test('while bulk work runs somebody at a screen waits for a small part of a window', () => {
  const { waits } = run({ planName: 'lite', method: 'OAUTH' });
  expect(waits.length).toBeGreaterThan(20);
  expect(Math.max(...waits)).toBeLessThan(WINDOW_MS / 10);
});

// builders

/** Every 5 ms ten bulk calls ask, and whoever waits at a screen. */
function run(of: { planName: 'lite' | 'ultimate'; method: Asking['method'] }) {
  const workspaceId = newId('ws', WorkspaceId);
  const plan = planOf({ plan: of.planName, seats: undefined, dailyTokens: undefined });
  const callOf = (lane: Lane): Asking => ({
    workspaceId,
    credential: 'grant',
    method: of.method,
    lane,
    priceTokens: 5,
    isSearch: false,
  });
  let windows = new Map<string, Window>([['grant', emptyWindow(plan.burst[of.method])]]);
  const admitted: { lane: Lane; ms: number }[] = [];
  const waits: number[] = [];
  let asked: number | undefined;
  for (let ms = 0; ms < RUN_MS; ms += 5) {
    if (ms % PERSON_EVERY_MS === 0) asked ??= ms;
    const person = asked === undefined ? [] : [callOf('interactive')];
    const calls = [...Array.from({ length: 10 }, () => callOf('bulk')), ...person];
    const state = { windows, day: emptyDay, plans: new Map([[workspaceId, plan]]) };
    const decided = decideAdmissions(calls, state, new Date(start + ms));
    windows = new Map([...windows, ...decided.windows]);
    for (const [index, answer] of decided.answers.entries()) {
      const { lane } = calls[index] ?? callOf('bulk');
      if (!answer.admitted) continue;
      admitted.push({ lane, ms });
      if (lane !== 'interactive' || asked === undefined) continue;
      waits.push(ms - asked);
      asked = undefined;
    }
  }
  return { admitted, waits };
}

const emptyWindow = (burstLimit: number): Window => ({
  burstLimit,
  burst: [],
  search: [],
  pausedUntil: null,
  pauseReason: 'burst_limited',
  blocks: 0,
  probeUntil: null,
});

const emptyDay = {
  spent: 0,
  reserved: 0,
  learnedLimit: null,
  learnedRemaining: null,
  pausedUntil: null,
  probeAt: null,
};
