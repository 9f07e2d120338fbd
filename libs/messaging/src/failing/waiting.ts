import type { ServiceName } from '@manifold/contracts';
import { acrossWorkspaces } from '@manifold/database';
import { type Kysely, sql } from 'kysely';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { giveTime, park, runWaiting } from '../consuming/handle.ts';
import type { Handler } from '../consuming/handler.ts';
import type { MessagingTables } from '../tables.ts';
import { asWaiting, unreadable } from './unreadable.ts';

const POLL_MS = 500;
const KEYS_AT_ONCE = 8;
const KEYS_OF_A_WORKSPACE = KEYS_AT_ONCE / 2;
/** Events of one key in one go; then others have their turn. */
const LINE = 200;

interface WaitingRow {
  id: string;
  event_id: string;
  workspace_id: string;
  key: string;
  name: string;
  body: unknown;
  attempts: number;
}

interface Retrying<Tables> {
  db: Kysely<Tables>;
  service: ServiceName;
  handlers: readonly Handler<Tables>[];
  log: Logger;
}

/** Tries waiting events again when their time has come: each key in its order, several keys at once. */
export async function retryWaiting<Tables extends MessagingTables>(
  options: Retrying<Tables>,
  stopping: AbortSignal,
): Promise<void> {
  const { db, log } = options;
  const inHand = new Map<Promise<void>, WaitingRow>();
  const report = (error: unknown) => log.error({ err: error }, 'waiting events not tried');
  while (!stopping.aborted) {
    const rows = (await leaseHeads(db, [...inHand.values()]).catch(report)) ?? [];
    for (const row of rows) {
      const work = retryLine(options, row, stopping)
        .catch(report)
        .finally(() => inHand.delete(work));
      inHand.set(work, row);
    }
    // one that ends may have made room for the next
    if (inHand.size >= KEYS_AT_ONCE) await Promise.race(inHand.keys());
    else if (rows.length === 0) await oneOf([...inHand.keys()], stopping);
  }
  await Promise.all(inHand.keys());
}

/** Waits until a work ends, or for the next look. */
async function oneOf(works: readonly Promise<void>[], stopping: AbortSignal): Promise<void> {
  const ended = new AbortController();
  const signal = AbortSignal.any([stopping, ended.signal]);
  await Promise.race([...works, sleep(POLL_MS, undefined, { signal }).catch(() => undefined)]);
  ended.abort();
}

/**
 * Takes the due first event of each key, workspace by workspace, and moves it out of sight for a
 * minute. Another replica may be at it for a moment, hence the second look at the time.
 */
async function leaseHeads<Tables>(
  db: Kysely<Tables>,
  inHand: readonly WaitingRow[],
): Promise<WaitingRow[]> {
  const free = KEYS_AT_ONCE - inHand.length;
  if (free <= 0) return [];
  const keys = inHand.map(({ key }) => key);
  const workspaces = inHand.map(({ workspace_id }) => workspace_id);
  return acrossWorkspaces(db, async (tx) => {
    const { rows } = await sql<WaitingRow>`
      with recursive workspace(id) as (
        (select workspace_id from inbox_waiting order by workspace_id limit 1)
        union all
        select (select workspace_id from inbox_waiting where workspace_id > workspace.id
          order by workspace_id limit 1)
        from workspace where workspace.id is not null)
      update inbox_waiting set not_before = now() + interval '1 minute'
      where not_before <= now() and id = any (array(
        select head.id from workspace cross join lateral (
          select due.id, row_number() over () +
            (select count(*) from unnest(${workspaces}::text[]) as busy(id) where busy.id = workspace.id) as place
          from (
            select w.id from inbox_waiting w
            where w.workspace_id = workspace.id and w.not_before <= now() and w.key <> all (${keys}::text[])
              and not exists (select from inbox_waiting earlier
                where earlier.workspace_id = w.workspace_id and earlier.key = w.key and earlier.id < w.id)
            order by w.not_before limit ${sql.lit(KEYS_OF_A_WORKSPACE)}) due) head
        where head.place <= ${sql.lit(KEYS_OF_A_WORKSPACE)}
        order by head.place, random() limit ${sql.lit(free)}))
      returning id, event_id, workspace_id, key, name, body, attempts`.execute(tx);
    return rows;
  });
}

/** Tries an event, and then those behind it, until one has to wait. */
async function retryLine<Tables extends MessagingTables>(
  options: Retrying<Tables>,
  first: WaitingRow,
  stopping: AbortSignal,
): Promise<void> {
  let row: WaitingRow | undefined = first;
  for (let tried = 0; row && tried < LINE; tried += 1) {
    await retryOne(options, row);
    row = stopping.aborted ? undefined : await leaseNext(options.db, row);
  }
  // what was taken and not tried is due at once
  if (row) await giveBack(options.db, row);
}

async function leaseNext<Tables>(
  db: Kysely<Tables>,
  { workspace_id, key }: WaitingRow,
): Promise<WaitingRow | undefined> {
  return acrossWorkspaces(db, async (tx) => {
    const { rows } = await sql<WaitingRow>`
      update inbox_waiting set not_before = now() + interval '1 minute'
      where not_before <= now() and id = (
        select id from inbox_waiting where workspace_id = ${workspace_id} and key = ${key}
        order by id limit 1)
      returning id, event_id, workspace_id, key, name, body, attempts`.execute(tx);
    return rows[0];
  });
}

async function giveBack<Tables>(db: Kysely<Tables>, { id }: WaitingRow): Promise<void> {
  await acrossWorkspaces(db, (tx) =>
    sql`update inbox_waiting set not_before = now() where id = ${id}`.execute(tx),
  );
}

async function retryOne<Tables extends MessagingTables>(
  options: { db: Kysely<Tables>; service: ServiceName; handlers: readonly Handler<Tables>[] },
  row: WaitingRow,
): Promise<void> {
  const { db, handlers } = options;
  const { received, isReadable } = asWaiting(row);
  const handler = handlers.find(({ eventName }) => eventName === row.name);
  const attempts = row.attempts + 1;
  // no try would make it readable, and until it goes it holds its key
  if (!isReadable) return park(options, received, { attempts, error: unreadable });
  try {
    if (!handler) throw new Error(`nothing handles ${row.name}`);
    await runWaiting(db, handler, received.event);
  } catch (error) {
    if (!handler) await park(options, received, { attempts, error });
    else await giveTime(options, received, { attempts, error });
  }
}
