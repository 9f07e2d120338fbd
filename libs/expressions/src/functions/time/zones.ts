import { stop } from '../../failures.ts';

const CACHED = 64;
const cache = new Map<string, Intl.DateTimeFormat>();

/**
 * The wall time of a zone, as if it were UTC: read it with `getUTC…`. Zones are IANA names or
 * offsets such as `-05:30`. The zone of the machine plays no part.
 */
export function wallTime(date: Date, zone: string): Date {
  const offset = /^([+-]?)(\d\d):(\d\d)$/.exec(zone);
  if (offset === null) return fromCalendar(date, zone);
  const minutes = Number(offset[2]) * 60 + Number(offset[3]);
  if (minutes > 14 * 60) return stop('bad_value');
  return new Date(date.getTime() + (offset[1] === '-' ? -minutes : minutes) * 60_000);
}

function fromCalendar(date: Date, zone: string): Date {
  const parts = formatOf(zone).formatToParts(date);
  const read = (type: Intl.DateTimeFormatPartTypes): number =>
    Number(parts.find((part) => part.type === type)?.value);
  const wall = new Date(0);
  wall.setUTCFullYear(read('year'), read('month') - 1, read('day'));
  wall.setUTCHours(read('hour'), read('minute'), read('second'), date.getUTCMilliseconds());
  return wall;
}

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = cache.get(zone);
  if (known !== undefined) return known;
  const made = tryFormat(zone) ?? stop('bad_value');
  const [oldest] = cache.keys();
  if (cache.size >= CACHED && oldest !== undefined) cache.delete(oldest);
  cache.set(zone, made);
  return made;
}

function tryFormat(timeZone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch {
    return undefined;
  }
}
