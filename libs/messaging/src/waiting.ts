import { EventEnvelopeHead, type ServiceName } from '@manifold/contracts';
import { acrossWorkspaces } from '@manifold/database';
import { type Kysely, sql } from 'kysely';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { giveTime, park, runWaiting } from './handle.ts';
import type { Handler } from './handler.ts';
import type { MessagingTables } from './tables.ts';

const POLL_MS = 500;

interface WaitingRow {
  id: string;
  workspace_id: string;
  key: string;
  name: string;
  body: unknown;
  attempts: number;
}

/** Tries waiting events again when their time has come, oldest of each key first. */
export function startWaitingLoop<Tables extends MessagingTables>(options: {
  db: Kysely<Tables>;
  service: ServiceName;
  handlers: readonly Handler<Tables>[];
  log: Logger;
}): () => Promise<void> {
  const stopping = new AbortController();
  const finished = (async () => {
    while (!stopping.signal.aborted) {
      const tried = await retryWaiting(options).catch((error: unknown) => {
        options.log.error({ err: error }, 'waiting events not tried');
        return 0;
      });
      if (tried === 0)
        await sleep(POLL_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  })();
  return async () => {
    stopping.abort();
    await finished;
  };
}

/** Tries the oldest due event of each key once; returns how many were tried. */
export async function retryWaiting<Tables extends MessagingTables>(options: {
  db: Kysely<Tables>;
  service: ServiceName;
  handlers: readonly Handler<Tables>[];
}): Promise<number> {
  const { db } = options;
  const rows = await leaseDue(db);
  for (const row of rows) await retryOne(options, row);
  return rows.length;
}

/** Takes the due head of each key and moves it out of other replicas' sight for a minute. */
async function leaseDue<Tables>(db: Kysely<Tables>): Promise<WaitingRow[]> {
  return acrossWorkspaces(db, async (tx) => {
    const { rows } = await sql<WaitingRow>`
      update inbox_waiting set not_before = now() + interval '1 minute' where id in (
        select id from inbox_waiting w where not_before <= now() and not exists (
          select from inbox_waiting earlier
          where earlier.workspace_id = w.workspace_id and earlier.key = w.key and earlier.id < w.id)
        order by id limit 50 for update skip locked)
      returning id, workspace_id, key, name, body, attempts`.execute(tx);
    return rows;
  });
}

async function retryOne<Tables extends MessagingTables>(
  options: { db: Kysely<Tables>; service: ServiceName; handlers: readonly Handler<Tables>[] },
  row: WaitingRow,
): Promise<void> {
  const { db, handlers } = options;
  const event = EventEnvelopeHead.parse(row.body);
  const received = { event, key: row.key, body: JSON.stringify(row.body) };
  const handler = handlers.find(({ eventName }) => eventName === row.name);
  const attempts = row.attempts + 1;
  try {
    if (!handler) throw new Error(`nothing handles ${row.name}`);
    await runWaiting(db, handler, event);
  } catch (error) {
    if (!handler) await park(options, received, { attempts, error });
    else await giveTime(options, received, { attempts, error });
  }
}
