import type { Duration } from '@marcbachmann/cel-js/evaluator';
import { stop } from '../../failures.ts';
import type { Definitions } from '../definition.ts';
import { nanosOf, readDuration } from './durations.ts';
import { instantText, isInstant, readDay, readInstant } from './instants.ts';
import { wallTime } from './zones.ts';

const DAY_MS = 86_400_000;

const dayOfYear = (date: Date): number => {
  const first = new Date(date);
  first.setUTCMonth(0, 1);
  return Math.round((date.getTime() - first.getTime()) / DAY_MS);
};

const getters: Record<string, (date: Date) => number> = {
  getDate: (date) => date.getUTCDate(),
  getDayOfMonth: (date) => date.getUTCDate() - 1,
  getDayOfWeek: (date) => date.getUTCDay(),
  getDayOfYear: dayOfYear,
  getFullYear: (date) => date.getUTCFullYear(),
  getHours: (date) => date.getUTCHours(),
  getMilliseconds: (date) => date.getUTCMilliseconds(),
  getMinutes: (date) => date.getUTCMinutes(),
  getMonth: (date) => date.getUTCMonth(),
  getSeconds: (date) => date.getUTCSeconds(),
};

const getterFunctions: Definitions = Object.fromEntries(
  Object.entries(getters).flatMap(([name, read]) => [
    [`timestamp.${name}(): int`, (date: Date) => BigInt(read(date))],
    [
      `timestamp.${name}(string): int`,
      (date: Date, zone: string) => BigInt(read(wallTime(date, zone))),
    ],
  ]),
);

export const replacedTimeFunctions: Definitions = {
  ...getterFunctions,
  'timestamp(string): timestamp': (text: string) => readInstant(text) ?? stop('bad_value'),
  'timestamp(int): timestamp': (seconds: bigint) => {
    const date = new Date(Number(seconds) * 1_000);
    return isInstant(date) ? date : stop('out_of_range');
  },
  'timestamp(timestamp): timestamp': (date: Date) => date,
  'duration(string): duration': readDuration,
  'duration(duration): duration': (duration: Duration) => duration,
  'duration.getHours(): int': (duration: Duration) => nanosOf(duration) / 3_600_000_000_000n,
  'duration.getMinutes(): int': (duration: Duration) => nanosOf(duration) / 60_000_000_000n,
  'duration.getSeconds(): int': (duration: Duration) => nanosOf(duration) / 1_000_000_000n,
  'duration.getMilliseconds(): int': (duration: Duration) =>
    (nanosOf(duration) / 1_000_000n) % 1_000n,
};

export const timeFunctions: Definitions = {
  'date(string): timestamp': (text: string) => readDay(text) ?? stop('bad_value'),
  'timestamp.strftime(string): string': writeTime,
  'timestamp.strftime(string, string): string': (date: Date, pattern: string, zone: string) =>
    writeTime(wallTime(date, zone), pattern),
};

const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August'];
MONTHS.push('September', 'October', 'November', 'December');
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

const padded = (number: number, digits = 2): string => `${number}`.padStart(digits, '0');
const monthOf = (date: Date): string => MONTHS[date.getUTCMonth()] ?? '';
const dayOf = (date: Date): string => DAYS[date.getUTCDay()] ?? '';

const directives: Record<string, (date: Date) => string> = {
  '%': () => '%',
  Y: (date) => padded(date.getUTCFullYear(), 4),
  y: (date) => padded(date.getUTCFullYear() % 100),
  m: (date) => padded(date.getUTCMonth() + 1),
  d: (date) => padded(date.getUTCDate()),
  e: (date) => `${date.getUTCDate()}`.padStart(2),
  H: (date) => padded(date.getUTCHours()),
  I: (date) => padded(date.getUTCHours() % 12 || 12),
  p: (date) => (date.getUTCHours() < 12 ? 'AM' : 'PM'),
  M: (date) => padded(date.getUTCMinutes()),
  S: (date) => padded(date.getUTCSeconds()),
  j: (date) => padded(dayOfYear(date) + 1, 3),
  B: monthOf,
  b: (date) => monthOf(date).slice(0, 3),
  A: dayOf,
  a: (date) => dayOf(date).slice(0, 3),
  F: (date) => instantText(date).slice(0, 10),
  T: (date) => instantText(date).slice(11, 19),
};

function writeTime(date: Date, pattern: string): string {
  if (pattern.length > 256) return stop('too_large');
  return pattern.replace(
    /%(.?)/gs,
    (_, letter: string) =>
      (Object.hasOwn(directives, letter) ? directives[letter] : undefined)?.(date) ??
      stop('bad_value'),
  );
}
