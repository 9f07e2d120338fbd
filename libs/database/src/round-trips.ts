import pg from 'pg';
import { type Counts, createPrepared } from './prepared.ts';
import { BEGIN, OPENING } from './tenancy.ts';

interface Query {
  name?: string;
  text: string;
  values: unknown[];
}
type Run = (query: Query) => Promise<pg.QueryResult>;

const nothing: pg.QueryResult = { command: '', rowCount: 0, oid: 0, fields: [], rows: [] };

/** Clients that hold plans of tables as they were before a migration. */
const outdated = new WeakSet<pg.PoolClient>();
export const isOutdated = (client: pg.PoolClient): boolean => outdated.has(client);

/**
 * Makes a client wait less for its server: what opens a transaction leaves together with the first
 * statement in it, and statements that come up often are prepared. The client has to be one with
 * `pipeline: true`, which sends a statement before the one in front of it is answered.
 */
export function saveRoundTrips(client: pg.PoolClient, counts: Counts): void {
  const ask = client.query.bind(client);
  const run = createRun((query) => ask<pg.QueryResultRow, unknown[]>(query), counts);
  const query = (text: string, values: unknown[] = [], ...more: unknown[]) => {
    // not ours to look into: another form of the call
    if (typeof text !== 'string' || !Array.isArray(values) || more.length > 0) {
      return Reflect.apply(ask, client, [text, values, ...more]);
    }
    return run({ text, values }).catch((error: unknown) => {
      if (isOfOldPlan(error)) outdated.add(client);
      throw error;
    });
  };
  Reflect.set(client, 'query', query);
}

function createRun(send: Run, counts: Counts): Run {
  const prepared = createPrepared(counts);
  let opening: Query[] = [];
  return async ({ text, values }) => {
    if (OPENING.includes(text)) {
      opening.push({ text, values });
      return nothing;
    }
    const first = opening;
    opening = [];
    const isUnused = first[0]?.text === BEGIN && ENDS.includes(text);
    if (isUnused) return { ...nothing, command: text.toUpperCase() };
    // when one of these fails, so does what comes after it
    for (const query of first) void send(query).catch(() => undefined);
    const name = prepared.nameOf(text);
    return send({ text, values, ...(name === undefined ? {} : { name }) });
  };
}

/** Of a transaction in which nothing was asked. */
const ENDS = ['commit', 'rollback'];

/** A prepared `select *` after a column was added: the connection cannot run it any more. */
const isOfOldPlan = (error: unknown): boolean =>
  error instanceof pg.DatabaseError &&
  error.code === '0A000' &&
  error.message.includes('cached plan');
