import { describe, expect, test } from 'vitest';
import { enter, learnOthers, move, SLOT_MS, type Slots, usedOf } from './rules.ts';

const now = new Date('2026-03-01T10:00:00.030Z');
const at = (ms: number) => new Date(now.getTime() + ms);
const slotOf = (time: Date) => Math.floor(time.getTime() / SLOT_MS);

describe('a window of two seconds', () => {
  test.each([0, 40, 90])(
    'never holds more than its limit in any two seconds, though calls take %i ms to get there',
    (lateMs) => {
      const admitted = admitAll({ limit: 20, everyMs: 7, forMs: 10_000 });
      // the way to Pipedrive is sometimes long
      const arrived = admitted.map((ms, index) => ms + (index % 3 === 0 ? lateMs : 0));
      for (const start of arrived) {
        const inWindow = arrived.filter((ms) => ms >= start && ms < start + 2_000);
        expect(inWindow.length).toBeLessThanOrEqual(20);
      }
    },
  );

  test('is used but for a thirtieth when there is always somebody who asks', () => {
    const admitted = admitAll({ limit: 80, everyMs: 5, forMs: 20_000 });
    expect(admitted.length).toBeGreaterThan((29 / 30) * 80 * 10);
  });

  test('says when there is room again, and there is', () => {
    const full: Slots = [[slotOf(now), 20]];
    const entered = enter(full, { limit: 20, now });
    if (!('until' in entered)) throw new Error('admitted');
    expect(entered.until.getTime() - now.getTime()).toBeLessThanOrEqual(2_150);
    expect(enter(full, { limit: 20, now: entered.until })).toHaveProperty('slots');
  });

  test('fills no faster than its pace, so that a place becomes free all the time', () => {
    const admitted = admitAll({ limit: 80, everyMs: 5, forMs: 4_000, pace: { calls: 10 } });
    for (const start of admitted) {
      const near = admitted.filter((ms) => ms >= start && ms < start + 150);
      expect(near.length).toBeLessThanOrEqual(10);
    }
    expect(admitted.length).toBeGreaterThan(0.85 * 80 * 2);
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

test('a call that left late stays in the window as long as Pipedrive counts it', () => {
  const taken = enter([], { limit: 20, now });
  if (!('slots' in taken)) throw new Error('not admitted');
  const moved = move(taken.slots, { from: now, to: at(400) });
  expect([usedOf(taken.slots, at(2_300)), usedOf(moved, at(2_300))]).toEqual([0, 1]);
  expect(move(moved, { from: now, to: at(500) })).toBe(moved);
});

describe('calls of others with the same credential', () => {
  const own: Slots = [[slotOf(at(-500)), 10]];
  const told = { limit: 80, freeInMs: undefined };

  test('fill the window as far as an answer tells', () => {
    const slots = learnOthers(own, { ...told, remaining: 30 }, now);
    expect(usedOf(slots, now)).toBe(50);
    expect(usedOf(slots, at(1_200))).toBe(10);
  });

  test('are not guessed from the little by which two counts differ', () => {
    expect(learnOthers(own, { ...told, remaining: 66 }, now)).toBe(own);
  });

  test('that filled it leave it when Pipedrive says so', () => {
    const slots = learnOthers(own, { limit: 80, remaining: 0, freeInMs: 1_000 }, now);
    expect(usedOf(slots, now)).toBe(80);
    expect(usedOf(slots, at(900))).toBe(80);
    expect(usedOf(slots, at(1_050))).toBe(10);
  });
});

// builders

/** When calls were admitted, asking all the time. */
function admitAll(of: {
  limit: number;
  everyMs: number;
  forMs: number;
  pace?: { calls: number };
}): number[] {
  const { limit, everyMs, forMs, pace } = of;
  let slots: Slots = [];
  const admitted: number[] = [];
  for (let ms = 0; ms < forMs; ms += everyMs) {
    const entered = enter(slots, { limit, pace, now: at(ms) });
    if ('until' in entered) continue;
    slots = entered.slots;
    admitted.push(ms);
  }
  return admitted;
}
