/** Nothing to map, on its way in or out. */
export const isNothing = (value: unknown): boolean =>
  value === null ||
  (typeof value === 'string' && value.trim() === '') ||
  (Array.isArray(value) && value.length === 0);

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const MONTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

export function dateIn(text: string): string | undefined {
  const date = text.trim();
  if (!/^\d{4}-\d\d-\d\d$/.test(date)) return undefined;
  const year = Number(date.slice(0, 4));
  const month = Number(date.slice(5, 7));
  const day = Number(date.slice(8));
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = month === 2 && isLeap ? 29 : (MONTHS[month - 1] ?? 0);
  return day >= 1 && day <= days ? date : undefined;
}

export function timeIn(text: string): string | undefined {
  const match = /^\s*([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?\s*$/.exec(text);
  return match === null ? undefined : `${match[1]}:${match[2]}:${match[3] ?? '00'}`;
}

export function instantIn(text: string): string | undefined {
  const date = dateIn(text);
  if (date !== undefined) return `${date}T00:00:00Z`;
  const match =
    /^\s*(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d(?:\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)\s*$/.exec(text);
  if (match === null || dateIn(match[1] ?? '') === undefined) return undefined;
  const instant = new Date(`${match[1]}T${match[2]}${match[3] ?? ':00'}${match[4]}`);
  return Number.isNaN(instant.getTime()) ? undefined : instant.toISOString().replace('.000Z', 'Z');
}
