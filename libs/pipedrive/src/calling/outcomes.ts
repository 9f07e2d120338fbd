import { z } from 'zod';
import { explainLimit, type LimitAnswer, readRateLimits } from './limits.ts';
import type { Operation } from '../operations.ts';
import { redact } from './redaction.ts';
import type { Transmission } from './transmit.ts';

/** Every way a call can fail, by what may have happened on Pipedrive's side. */
export type Failure =
  /** Pipedrive said no and did nothing. `message` is free of values and credentials. */
  | { outcome: 'refused'; status: number; code?: string; message: string; fieldCode?: string }
  /** The token is not accepted: refresh it or ask for a new one. */
  | { outcome: 'unauthorized' }
  /** Too many requests, or the day's tokens are spent. Nothing was done. */
  | ({ outcome: 'limited' } & LimitAnswer)
  /** The edge refuses this credential with a page of HTML, after ignored limits. Stop calling. */
  | { outcome: 'blocked' }
  /** The registered app lacks a scope this operation needs. */
  | { outcome: 'scope_missing' }
  /** The request never left: name, connection, TLS. Safe to repeat. */
  | { outcome: 'not_sent'; cause: string }
  /** A write that may have been carried out, now or later. Verify before repeating. */
  | { outcome: 'unknown'; cause: string }
  /** A read that brought no answer. Safe to repeat. */
  | { outcome: 'unavailable'; cause: string };

/** How a call ended. `nextCursor` is absent on the last page. */
export type Outcome<Data> = { outcome: 'ok'; data: Data; nextCursor?: string } | Failure;

const errorBody = z.object({
  error: z.string().optional(),
  errors: z.record(z.string(), z.array(z.string())).optional(),
  code: z
    .string()
    .regex(/^\w{1,100}$/)
    .optional()
    .catch(undefined),
  field_code: z
    .string()
    .regex(/^\w{1,64}$/)
    .optional()
    .catch(undefined),
});

const pageEnd = z.object({
  additional_data: z
    .object({
      next_cursor: z.string().nullish(),
      pagination: z
        .object({ more_items_in_collection: z.boolean(), next_start: z.number().nullish() })
        .nullish(),
    })
    .nullish(),
});

export interface Judged<Data> {
  operation: Operation;
  transmission: Transmission;
  /** Turns the envelope's `data` into the caller's shape; throws when it cannot. */
  read: (data: unknown) => Data;
  /** Text that must not appear in a message: what was sent. */
  sentValues: readonly string[];
}

/** Judges what a transmission means for an operation. */
export function judge<Data>({
  operation,
  transmission,
  read,
  sentValues,
}: Judged<Data>): Outcome<Data> {
  const noAnswer = (cause: string): Failure =>
    operation.method === 'GET' ? { outcome: 'unavailable', cause } : { outcome: 'unknown', cause };

  if (transmission.sent === 'no') return { outcome: 'not_sent', cause: transmission.cause };
  if (transmission.sent === 'maybe') return noAnswer(transmission.cause);

  const { status, headers, text } = transmission;
  if (status >= 200 && status < 300) return readAnswer(text, read) ?? noAnswer('answer_unreadable');
  if (status >= 500 || status === 408 || status < 200) return noAnswer(`http_${status}`);
  if (status === 429) {
    return { outcome: 'limited', ...explainLimit(readRateLimits(headers), operation.lane) };
  }
  if (status === 401) return { outcome: 'unauthorized' };
  const refusal = readRefusal(status, text ?? '', sentValues);
  if (status === 403 && isHtml(headers['content-type'], text ?? '')) return { outcome: 'blocked' };
  if (status === 403 && /scope/i.test(refusal.message)) return { outcome: 'scope_missing' };
  return refusal;
}

function readAnswer<Data>(
  text: string | undefined,
  read: (data: unknown) => Data,
): Outcome<Data> | undefined {
  if (text === undefined) return undefined;
  try {
    const envelope = z
      .looseObject({ success: z.literal(true), data: z.unknown().optional() })
      .parse(JSON.parse(text));
    const cursor = cursorOf(envelope);
    const data = read(envelope.data);
    return cursor === undefined
      ? { outcome: 'ok', data }
      : { outcome: 'ok', data, nextCursor: cursor };
  } catch {
    return undefined;
  }
}

/** v2 gives an opaque cursor; v1 a next start, carried as a cursor all the same. */
function cursorOf(envelope: unknown): string | undefined {
  const end = pageEnd.parse(envelope).additional_data;
  const next = end?.pagination;
  if (next?.more_items_in_collection) return next.next_start?.toString();
  return end?.next_cursor ?? undefined;
}

function readRefusal(
  status: number,
  text: string,
  sentValues: readonly string[],
): Extract<Failure, { outcome: 'refused' }> {
  const { error, errors, code, field_code } = parseErrorBody(text);
  const details = Object.entries(errors ?? {}).map(([key, said]) => `${key}: ${said.join(', ')}`);
  const said = error ?? details.join('; ');
  const fieldCode = field_code ?? namedField(said);
  return {
    outcome: 'refused',
    status,
    message: redact(said === '' ? `Pipedrive answered ${status}` : said, sentValues),
    ...(code === undefined ? {} : { code }),
    ...(fieldCode === undefined ? {} : { fieldCode }),
  };
}

function parseErrorBody(text: string): z.infer<typeof errorBody> {
  try {
    const parsed = errorBody.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : {};
  } catch {
    return {};
  }
}

/** The field a validation message is about, when it names one. */
function namedField(message: string): string | undefined {
  const hash = /\b[0-9a-f]{40}\b/.exec(message)?.[0];
  return hash ?? /^Validation failed: (?:custom_fields\.)?(\w{1,64}):/.exec(message)?.[1];
}

const isHtml = (contentType: string | string[] | undefined, text: string): boolean =>
  String(contentType ?? '').includes('text/html') || /^\s*</.test(text.slice(0, 200));
