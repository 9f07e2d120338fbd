import { expect, test } from 'vitest';
import { expire, release, reserve, sumOf } from './rules.ts';

const now = new Date('2026-03-01T10:00:03Z');
const after = (seconds: number) => new Date(now.getTime() + seconds * 1_000);

test('what was reserved is given back by the call it was for', () => {
  const both = reserve(reserve([], 5, now), 20, after(10));
  expect(sumOf(both)).toBe(25);
  expect(sumOf(release(both, 5, now))).toBe(20);
  expect(release(release(both, 5, now), 20, after(10))).toEqual([]);
});

test('a call that comes back long after its reservation ended gives nothing back', () => {
  const later = reserve([], 20, after(300));
  expect(release(later, 5, now)).toEqual(later);
});

test('tokens of a process that died count as spent after a while, and only once', () => {
  const left = reserve(reserve([], 5, now), 7, after(60));
  expect(expire(left, after(60))).toEqual({ kept: left, lostTokens: 0 });
  const first = expire(left, after(110));
  expect(first).toMatchObject({ lostTokens: 5 });
  expect(expire(first.kept, after(110)).lostTokens).toBe(0);
  expect(expire(first.kept, after(400))).toEqual({ kept: [], lostTokens: 7 });
});

test('steady work does not carry a dead process’s tokens along', () => {
  let reservations = reserve([], 50, now);
  for (let second = 0; second < 120; second += 1) {
    reservations = reserve(expire(reservations, after(second)).kept, 5, after(second));
    reservations = release(reservations, 5, after(second));
  }
  expect(reservations).toEqual([]);
});
