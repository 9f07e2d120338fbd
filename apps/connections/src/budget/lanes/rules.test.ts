import { expect, test } from 'vitest';
import type { Admission, Day } from '../rules.ts';
import type { Lane } from '../tables.ts';
import { turnLanes } from './rules.ts';

const until = new Date('2026-03-02T00:00:00Z');
const yes: Admission = { admitted: true };
const no: Admission = { admitted: false, until, reason: 'budget_spent' };
const wait: Admission = { admitted: false, until, reason: 'burst_limited' };

test('a lane that finds the day spent stops, and says so once', () => {
  const first = turn([], [no, no], { spent: 900 });
  expect(first).toEqual({
    stopped: ['bulk'],
    turns: [{ turn: 'lane_stopped', lane: 'bulk', until, remaining: 100 }],
  });
  expect(turn(first.stopped, [no], { spent: 900 })).toEqual({ stopped: ['bulk'], turns: [] });
});

test('it goes on when there is room again, and not for the one call that still fits', () => {
  expect(turn(['bulk'], [yes], { spent: 895 })).toEqual({ stopped: ['bulk'], turns: [] });
  expect(turn(['bulk', 'event'], [yes], { spent: 0 })).toEqual({
    stopped: ['event'],
    turns: [{ turn: 'lane_resumed', lane: 'bulk', remaining: 1_000 }],
  });
});

test.each([
  ['a full window', [wait], {}],
  ['a pause of the whole company', [no], { pausedUntil: until }],
  ['calls that pass', [yes], {}],
])('%s stops no lane', (_, answers, day) => {
  expect(turn([], answers, day)).toEqual({ stopped: [], turns: [] });
});

// builders

const turn = (stopped: Lane[], answers: readonly Admission[], day: Partial<Day>) =>
  turnLanes(
    stopped,
    answers.map((answer) => ({ lane: 'bulk' as const, answer })),
    {
      dailyTokens: 1_000,
      day: {
        spent: 0,
        reserved: 0,
        learnedLimit: null,
        learnedRemaining: null,
        pausedUntil: null,
        probeAt: null,
        ...day,
      },
    },
  );
