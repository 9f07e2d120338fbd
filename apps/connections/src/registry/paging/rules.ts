import type { PipedriveRecord } from '@manifold/contracts';

/** Numbers in their order, and UUIDs, which are all of one length; as the database orders them. */
export const compareIds = (one: string, other: string): number =>
  one.length - other.length || (one < other ? -1 : Number(one > other));

/** A list by offset shifts while it is read: each page begins this much before the one before ended. */
export const OVERLAP = 50;

/** How a page of everything, in order of ids, joins what was read before. */
export type Joining =
  /** These come after what was read, and nothing between them is left out. */
  | { outcome: 'joined'; records: readonly PipedriveRecord[]; nextStart: number }
  /** More went than pages overlap: what comes after was shifted past. To be read again from here. */
  | { outcome: 'shifted'; nextStart: number }
  /** Ours is another order than Pipedrive's, so nothing can be said. */
  | { outcome: 'disordered' };

/** Joins a page by offset to the pages before it, of which `lastId` is the last id. */
export function joinPage(
  page: readonly PipedriveRecord[],
  { start, lastId, limit }: { start: number; lastId: string; limit: number },
): Joining {
  const isOrdered = page.every(
    ({ id }, index) => index === 0 || compareIds(page[index - 1]?.id ?? '', id) < 0,
  );
  if (!isOrdered) return { outcome: 'disordered' };
  const [first] = page;
  const reachesBack = first !== undefined && compareIds(first.id, lastId) <= 0;
  if (start > 0 && !reachesBack) {
    return { outcome: 'shifted', nextStart: Math.max(0, start - limit) };
  }
  const records = page.filter(({ id }) => compareIds(id, lastId) > 0);
  return { outcome: 'joined', records, nextStart: start + Math.max(1, page.length - OVERLAP) };
}

/** Where a read of changes by offset stands: since when, and how many of that second were read. */
export interface ChangesPlace {
  since: Date;
  start: number;
}

export const writePlace = ({ since, start }: ChangesPlace): string =>
  `${since.toISOString()}|${start}`;

/** Undefined when it is no place, for example a cursor of another kind of list. */
export function readPlace(text: string): ChangesPlace | undefined {
  const [time = '', start = ''] = text.split('|');
  const since = new Date(time);
  if (Number.isNaN(since.getTime()) || !/^\d{1,9}$/.test(start)) return undefined;
  return { since, start: Number(start) };
}

const wholeSecond = (time: Date): number => Math.floor(time.getTime() / 1_000);

/**
 * Where to go on after a page of changes in their order. By time rather than by offset, because what
 * changes meanwhile moves to the end and shifts the rest; by offset only within one second.
 */
export function placeAfterPage(
  { since, start }: ChangesPlace,
  page: { length: number; lastTime: Date },
): ChangesPlace {
  if (wholeSecond(page.lastTime) > wholeSecond(since)) {
    return { since: new Date(wholeSecond(page.lastTime) * 1_000), start: 0 };
  }
  return { since, start: start + Math.max(1, page.length - OVERLAP) };
}
