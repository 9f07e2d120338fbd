import type { Dispatcher } from 'undici';
import { type LimitAnswer, noRateLimits, type RateLimitHeaders, readRateLimits } from './limits.ts';
import { type OperationName, operations } from '../operations.ts';
import { judge, type Outcome } from './outcomes.ts';
import { textsIn } from './redaction.ts';
import { transmit } from './transmit.ts';

/** How the caller is known to Pipedrive. An API token is never sent as a bearer token. */
export type Authorization = { kind: 'bearer' | 'apiToken'; token: string };

/** One finished call, for ledger and metrics. Holds no value, address or credential. */
export interface CallReport {
  operation: OperationName;
  priceTokens: number;
  status: number | undefined;
  outcome: Outcome<unknown>['outcome'];
  /** Which limit turned the call away, and how long to wait; with the outcome `limited` only. */
  limited: LimitAnswer | undefined;
  durationMs: number;
  limits: RateLimitHeaders;
}

export interface CallOptions {
  /** A checked origin, see `parseApiDomain`. */
  origin: string;
  authorization: () => Promise<Authorization>;
  timeoutMs: number;
  dispatcher: Dispatcher;
  onCall?: ((report: CallReport) => void) | undefined;
}

export type Query = Record<string, string | number | boolean | undefined>;
export type Body = Record<string, unknown>;

export interface CallInput<Data> {
  path?: Record<string, string | number>;
  query?: Query;
  /** A list for the few operations that take several things at once. */
  body?: Body | readonly Body[];
  /** Turns the envelope's `data` into the caller's shape; throws when it cannot. */
  read: (data: unknown) => Data;
}

export type Call = <Data>(
  operation: OperationName,
  input: CallInput<Data>,
) => Promise<Outcome<Data>>;

/** The one way to Pipedrive: authorise, send, judge, report. Only `authorization` can make it throw. */
export function createCall(options: CallOptions): Call {
  return async (name, { path, query, body, read }) => {
    const operation = operations[name];
    const authorization = await options.authorization();
    const startedAt = performance.now();
    const transmission = await transmit({
      url: addressOf(options.origin, `/api/${operation.version}${operation.path}`, path, query),
      method: operation.method,
      headers: headersFor(authorization, body),
      body: body === undefined ? undefined : JSON.stringify(body),
      timeoutMs: options.timeoutMs,
      dispatcher: options.dispatcher,
    });
    const sentValues = [authorization.token, ...textsIn({ query, body })];
    const outcome = judge({ operation, transmission, read, sentValues });
    const answered = transmission.sent === 'answered' ? transmission : undefined;
    options.onCall?.({
      operation: name,
      priceTokens: operation.priceTokens,
      status: answered?.status,
      outcome: outcome.outcome,
      limited: outcome.outcome === 'limited' ? limitOf(outcome) : undefined,
      durationMs: performance.now() - startedAt,
      limits: answered === undefined ? noRateLimits : readRateLimits(answered.headers),
    });
    return outcome;
  };
}

const limitOf = ({ kind, retryAfterMs }: LimitAnswer): LimitAnswer => ({ kind, retryAfterMs });

function headersFor({ kind, token }: Authorization, body: unknown): Record<string, string> {
  return {
    accept: 'application/json',
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(kind === 'bearer' ? { authorization: `Bearer ${token}` } : { 'x-api-token': token }),
  };
}

function addressOf(
  origin: string,
  template: string,
  path: CallInput<unknown>['path'] = {},
  query: Query = {},
): string {
  const filled = template.replace(/\{(\w+)\}/g, (_, key: string) => {
    const id = String(path[key] ?? '');
    // dots and slashes would name another resource
    if (!/^[\w-]{1,64}$/.test(id)) throw new RangeError('not the id of a Pipedrive record');
    return id;
  });
  const url = new URL(filled, origin);
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(key, String(value));
  }
  return url.href;
}
