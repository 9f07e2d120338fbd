import { expect, test } from 'vitest';
import type { Lane } from '../tables.ts';
import { type Day, decideDaily, lookSoon, nextMidnight } from './rules.ts';

const now = new Date('2026-03-01T10:00:00Z');
const at = (minutes: number) => new Date(now.getTime() + minutes * 60_000);
const midnight = nextMidnight(now);

test('a day that has tokens lets a call pass, and nobody looks whether there are more', () => {
  expect(decide({ probeAt: at(30) })).toEqual({ probeAt: null });
});

test('of a spent day somebody looks an hour later, one call each hour', () => {
  const spent = { spent: 1_000 };
  expect(decide(spent)).toEqual({ until: at(60), probeAt: at(60) });
  expect(decide({ ...spent, probeAt: at(60) }, { time: at(59) })).toEqual({
    until: at(60),
    probeAt: at(60),
  });
  expect(decide({ ...spent, probeAt: at(60) }, { time: at(60) })).toEqual({ probeAt: at(120) });
  expect(decide({ ...spent, probeAt: at(120) }, { time: at(60) })).toMatchObject({
    until: at(62),
  });
});

test('after an answer that the day is spent one call of any lane looks once the pause is over', () => {
  const paused = { pausedUntil: at(15) };
  expect(decide(paused, { lane: 'bulk', time: at(14) })).toEqual({
    until: at(15),
    probeAt: null,
  });
  expect(decide(paused, { lane: 'bulk', time: at(15) })).toEqual({ probeAt: at(75) });
  expect(decide({ ...paused, probeAt: at(75) }, { time: at(15) })).toMatchObject({
    until: at(17),
  });
});

test('while one looks the others wait for what it finds, and then for the next look', () => {
  const spent = { spent: 1_000, probeAt: at(60) };
  expect(decide(spent, { time: at(1) }).until).toEqual(at(3));
  expect(decide(spent, { time: at(3) }).until).toEqual(at(60));
});

test('a look that came to nothing is taken again soon, and not before it was due anyway', () => {
  expect(lookSoon(at(60), now)).toEqual(at(2));
  expect(lookSoon(at(1), now)).toEqual(at(1));
  expect(lookSoon(null, now)).toBeNull();
});

test('nobody waits beyond the end of the day', () => {
  const late = new Date('2026-03-01T23:30:00Z');
  expect(decide({ spent: 1_000 }, { time: late }).until).toEqual(midnight);
});

test('a lane that left its reserve does not look: those before it do', () => {
  expect(decide({ spent: 950, probeAt: at(-1) }, { lane: 'bulk' })).toMatchObject({
    until: midnight,
  });
});

// builders

const decide = (day: Partial<Day>, of: { lane?: Lane; time?: Date } = {}) =>
  decideDaily({
    lane: of.lane ?? 'interactive',
    priceTokens: 5,
    dailyTokens: 1_000,
    now: of.time ?? now,
    day: {
      spent: 0,
      reserved: 0,
      learnedLimit: null,
      learnedRemaining: null,
      pausedUntil: null,
      probeAt: null,
      ...day,
    },
  });
