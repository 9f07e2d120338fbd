import { expect, test } from 'vitest';
import { decideHealth, isNews, mayHaveLost, needsRepair, nextCheck } from './rules.ts';
import type { Pace } from '../rules.ts';

const webhook = {
  ...{ id: '1', url: 'https://x.example', action: '*', object: '*', name: null },
  ...{ active: true, removeTime: null, removeReason: null },
  ...{ lastDeliveryTime: null, lastHttpStatus: 200 },
};

test.each([
  ['there is none', undefined, ['MISSING', true, true]],
  ['it is switched off', { ...webhook, active: false }, ['BANNED', true, true]],
  [
    'it was given up after days without a success',
    { ...webhook, active: false, removeTime: '2026-03-01T10:00:00Z' },
    ['REMOVED', true, true],
  ],
  ['its last delivery failed', { ...webhook, lastHttpStatus: 503 }, ['FAILING', false, true]],
  ['its last delivery arrived', webhook, ['HEALTHY', false, false]],
  ['nothing was delivered yet', { ...webhook, lastHttpStatus: null }, ['HEALTHY', false, false]],
])('a subscription: %s', (_, current, expected) => {
  const state = decideHealth(current);
  expect([state, needsRepair(state), mayHaveLost(state)]).toEqual(expected);
});

test('a last delivery that failed is news once, until there is another', () => {
  const at = (second: number) => new Date(`2026-03-01T10:00:0${second}Z`);
  const seen = { state: 'FAILING', last_delivery_at: at(1) } as const;
  expect(isNews('FAILING', { lastDeliveryAt: at(1) }, { ...seen, state: 'HEALTHY' })).toBe(true);
  expect(isNews('FAILING', { lastDeliveryAt: at(1) }, seen)).toBe(false);
  expect(isNews('FAILING', { lastDeliveryAt: at(2) }, seen)).toBe(true);
  expect(isNews('BANNED', { lastDeliveryAt: at(1) }, seen)).toBe(true);
});

test('one that does not work is looked at sooner, one that cannot be had later', () => {
  const now = new Date('2026-03-01T10:00:00Z');
  const minutes = (pace: Pace, everyMs: number) =>
    (nextCheck(now, { pace, everyMs }).getTime() - now.getTime()) / 60_000;
  expect(minutes('normal', 1_800_000)).toBe(30);
  expect(minutes('soon', 1_800_000)).toBe(5);
  expect(minutes('soon', 60_000)).toBe(1);
  expect(minutes('later', 60_000)).toBe(240);
});
