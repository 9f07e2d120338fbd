/** What a text says, or undefined when it does not say it. All linear in the length of the text. */

export function readNumber(text: string): number | undefined {
  const trimmed = text.trim();
  if (trimmed.length > 64 || !/^[+-]?(\d+\.?\d*|\.\d+)$/.test(trimmed)) return undefined;
  const number = Number(trimmed);
  return Number.isFinite(number) ? number : undefined;
}

export function readBoolean(text: string): boolean | undefined {
  const word = text.trim().toLowerCase();
  if (['true', 'yes', '1'].includes(word)) return true;
  return ['false', 'no', '0'].includes(word) ? false : undefined;
}

/** A date of the calendar, `YYYY-MM-DD`. */
export function readDate(text: string): string | undefined {
  const date = text.trim();
  if (!/^\d{4}-\d\d-\d\d$/.test(date)) return undefined;
  const month = Number(date.slice(5, 7));
  const day = Number(date.slice(8));
  return day >= 1 && day <= daysIn(Number(date.slice(0, 4)), month) ? date : undefined;
}

function daysIn(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
}

/** An instant with its zone, or a date, whose instant is midnight UTC. Answers in UTC. */
export function readInstant(text: string): string | undefined {
  const date = readDate(text);
  if (date !== undefined) return `${date}T00:00:00Z`;
  const match =
    /^\s*(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d(?:\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)\s*$/.exec(text);
  if (match === null) return undefined;
  const [, day = '', minutes = '', seconds = ':00', zone = 'Z'] = match;
  if (readDate(day) === undefined) return undefined;
  const instant = new Date(`${day}T${minutes}${seconds}${zone}`);
  return Number.isNaN(instant.getTime()) ? undefined : instant.toISOString().replace('.000Z', 'Z');
}

/** Wall time; `HH:MM` is given its seconds. */
export function readTime(text: string): string | undefined {
  const match = /^\s*([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?\s*$/.exec(text);
  return match === null ? undefined : `${match[1]}:${match[2]}:${match[3] ?? '00'}`;
}

/** One `@`, parts of sane length, no space, no dot or hyphen where none can be. */
export function readEmail(text: string): string | undefined {
  const address = text.trim();
  if (address.length > 254 || /[\s<>"(),;:\\]/.test(address)) return undefined;
  const [local = '', domain = '', ...more] = address.split('@');
  if (more.length > 0 || local.length === 0 || local.length > 64) return undefined;
  if (local.startsWith('.') || local.endsWith('.') || local.includes('..')) return undefined;
  const labels = domain.split('.');
  const fits = (label: string): boolean =>
    label.length > 0 && label.length <= 63 && !label.startsWith('-') && !label.endsWith('-');
  return labels.length >= 2 && labels.every(fits) ? address : undefined;
}

/** Something that can be dialled; its form is left as people wrote it. */
export function readPhone(text: string): string | undefined {
  const number = text.trim();
  return number.length <= 64 && /\d\D*\d\D*\d/.test(number) ? number : undefined;
}

/** At most `limit` UTF-16 units, cut between two characters as people see them. */
export function cutText(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const from = Math.max(0, limit - 64);
  const around = text.slice(from, limit + 64);
  let end = 0;
  for (const { index, segment } of new Intl.Segmenter().segment(around)) {
    if (from + index + segment.length > limit) break;
    end = index + segment.length;
  }
  return text.slice(0, from + end);
}

/** What is left of a label when case, spaces and ways to write an accent do not count. */
export const foldLabel = (label: string): string =>
  label.normalize('NFC').trim().toLowerCase().replace(/\s+/g, ' ');

/** An ISO 4217 code as far as its form tells, in capitals. */
export function readCurrency(text: string): string | undefined {
  const code = text.trim().toUpperCase();
  return /^[A-Z]{3}$/.test(code) ? code : undefined;
}
