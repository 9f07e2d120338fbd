/** How long a person has to come back from Pipedrive. */
export const STATE_LIVES_MS = 10 * 60_000;

/** A place the browser may be sent to: below one of the allowed addresses. */
export function isReturnUrlAllowed(url: string, allowed: readonly string[]): boolean {
  if (!URL.canParse(url)) return false;
  const { origin, pathname, username, password } = new URL(url);
  if (username !== '' || password !== '') return false;
  return allowed.some((entry) => {
    const known = new URL(entry);
    const folder = known.pathname.endsWith('/') ? known.pathname : `${known.pathname}/`;
    return origin === known.origin && (pathname === known.pathname || pathname.startsWith(folder));
  });
}

/** What the browser brought back. */
export type CallbackQuery =
  | { outcome: 'code'; state: string; code: string }
  | { outcome: 'denied'; state: string }
  /** Not begun here: no state, or neither code nor error. */
  | { outcome: 'foreign' };

export function readCallback(query: URLSearchParams): CallbackQuery {
  const state = query.get('state') ?? '';
  const code = query.get('code') ?? '';
  const shortEnough = state.length <= 512 && code.length <= 2_048;
  if (state === '' || !shortEnough) return { outcome: 'foreign' };
  if (query.has('error')) return { outcome: 'denied', state };
  return code === '' ? { outcome: 'foreign' } : { outcome: 'code', state, code };
}

const SECONDS_BELOW = 100_000_000_000;

/** A time as Pipedrive may write it: text, or seconds or milliseconds; undefined when it is none. */
export function readTime(value: unknown): Date | undefined {
  if (typeof value === 'number') {
    return new Date(value < SECONDS_BELOW ? (value + 1) * 1000 - 1 : value);
  }
  if (typeof value !== 'string' || value === '') return undefined;
  if (/^\d+$/.test(value)) return readTime(Number(value));
  const time = new Date(value);
  return Number.isNaN(time.getTime()) ? undefined : time;
}
