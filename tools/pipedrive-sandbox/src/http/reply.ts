import type { Json } from '../json.ts';
import type { Problem } from './problem.ts';

export interface Reply {
  status: number;
  contentType: string;
  body: string;
  headers?: Record<string, string>;
}

export function json(status: number, value: unknown): Reply {
  return { status, contentType: 'application/json; charset=utf-8', body: JSON.stringify(value) };
}

export function html(status: number, body: string): Reply {
  return { status, contentType: 'text/html; charset=utf-8', body };
}

export function problemReply(problem: Problem): Reply {
  return json(problem.status, problem.body);
}

export function data(value: Json, status = 200): Reply {
  return json(status, { success: true, data: value });
}

/** A v2 page of records that are JSON text already: joined, not parsed and written again. */
export function page(items: string[], nextCursor: string | null): Reply {
  return {
    status: 200,
    contentType: 'application/json; charset=utf-8',
    body: `{"success":true,"data":[${items.join(',')}],"additional_data":{"next_cursor":${JSON.stringify(nextCursor)}}}`,
  };
}

export interface NumberedPage {
  start: number;
  limit: number;
  more: boolean;
}

/** A v1 page. */
export function numberedPage(items: Json[], { start, limit, more }: NumberedPage): Reply {
  const pagination = {
    start,
    limit,
    more_items_in_collection: more,
    ...(more ? { next_start: start + limit } : {}),
  };
  return json(200, { success: true, data: items, additional_data: { pagination } });
}
