import { stop } from '../../failures.ts';

const EARLIEST = Date.UTC(1, 0, 1) - (Date.UTC(1) - new Date('0001-01-01T00:00:00Z').getTime());
const LATEST = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** Years 1 to 9999, as the language says. */
export const isInstant = (date: Date): boolean =>
  date.getTime() >= EARLIEST && date.getTime() <= LATEST;

const RFC_3339 =
  /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d{1,9})?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/i;

/** RFC 3339 with its zone, and a day that exists. Kept to the millisecond. */
export function readInstant(text: string): Date | undefined {
  const match = RFC_3339.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map(Number);
  if (!isDay(year, month, day) || hour > 23 || minute > 59 || second > 59) return undefined;
  const milliseconds = (match[7] ?? '.0').slice(0, 4);
  const seconds = text.slice(0, 19).toUpperCase();
  const date = new Date(`${seconds}${milliseconds}${match[8]?.toUpperCase()}`);
  return isInstant(date) ? date : undefined;
}

/** Midnight UTC of `YYYY-MM-DD`. */
export function readDay(text: string): Date | undefined {
  return text.length === 10 ? readInstant(`${text}T00:00:00Z`) : undefined;
}

function isDay(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1) return false;
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
  return day <= days;
}

/** RFC 3339 in UTC; milliseconds only where there are some. */
export const instantText = (date: Date): string =>
  isInstant(date) ? date.toISOString().replace('.000Z', 'Z') : stop('out_of_range');
