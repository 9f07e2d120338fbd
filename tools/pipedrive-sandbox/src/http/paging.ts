import { isObject } from '../json.ts';
import { invalidKey } from './problem.ts';

/** Where the next page starts: after this value of the sort field, then after this id. */
export interface Cursor {
  field: string;
  value: string | number;
  id: number;
}

const MAX_LIMIT = 500;

export function readLimit(query: URLSearchParams, max = MAX_LIMIT): number {
  const limit = Number(query.get('limit') ?? 100);
  if (limit < 1 || limit > max) throw invalidKey('limit', `must be between 1 and ${max}`);
  return limit;
}

/** A cursor belongs to the sort field it was made for. */
export function readCursor(query: URLSearchParams, field: string): Cursor | undefined {
  const text = query.get('cursor');
  if (text === null) return undefined;
  const cursor = parseCursor(text);
  if (cursor === undefined || cursor.field !== field) throw invalidKey('cursor', 'Invalid cursor');
  return cursor;
}

function parseCursor(text: string): Cursor | undefined {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    if (!isObject(parsed)) return undefined;
    const { field, fieldValue: value, id } = parsed;
    if (typeof field !== 'string' || typeof id !== 'number') return undefined;
    return typeof value === 'string' || typeof value === 'number'
      ? { field, value, id }
      : undefined;
  } catch {
    return undefined;
  }
}

export function nextCursor({ field, value, id }: Cursor): string {
  return Buffer.from(JSON.stringify({ field, fieldValue: value, id })).toString('base64url');
}

/** v1 pages by position. */
export function readStart(query: URLSearchParams): { start: number; limit: number } {
  const start = Math.max(0, Number(query.get('start') ?? 0));
  const limit = Math.min(Math.max(1, Number(query.get('limit') ?? 100)), MAX_LIMIT);
  return { start, limit };
}
