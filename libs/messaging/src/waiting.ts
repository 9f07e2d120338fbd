import { EventEnvelopeHead, type ServiceName } from '@manifold/contracts';
import { acrossWorkspaces } from '@manifold/database';
import { type Kysely, sql } from 'kysely';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { giveTime, park, runWaiting } from './handle.ts';
import type { Handler } from './handler.ts';
import type { MessagingTables } from './tables.ts';

const POLL_MS = 500;
const KEYS_AT_ONCE = 8;

interface WaitingRow {
  id: string;
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

/** Tries waiting events again when their time has come: the oldest of each key, several keys at once. */
export function startWaitingLoop<Tables extends MessagingTables>(
  options: Retrying<Tables>,
): () => Promise<void> {
  const { db, log } = options;
  const stopping = new AbortController();
  const inHand = new Set<Promise<void>>();
  const report = (error: unknown) => log.error({ err: error }, 'waiting events not tried');
  const finished = (async () => {
    while (!stopping.signal.aborted) {
      const rows = (await leaseDue(db, KEYS_AT_ONCE - inHand.size).catch(report)) ?? [];
      for (const row of rows) {
        const work = retryOne(options, row)
          .catch(report)
          .finally(() => inHand.delete(work));
        inHand.add(work);
      }
      if (rows.length === 0)
        await sleep(POLL_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
    await Promise.all(inHand);
  })();
  return async () => {
    stopping.abort();
    await finished;
  };
}

/** Takes the due head of each key and moves it out of other replicas' sight for a minute. */
async function leaseDue<Tables>(db: Kysely<Tables>, limit: number): Promise<WaitingRow[]> {
  if (limit <= 0) return [];
  return acrossWorkspaces(db, async (tx) => {
    const { rows } = await sql<WaitingRow>`
      update inbox_waiting set not_before = now() + interval '1 minute' where id in (
        select id from inbox_waiting w where not_before <= now() and not exists (
          select from inbox_waiting earlier
          where earlier.workspace_id = w.workspace_id and earlier.key = w.key and earlier.id < w.id)
        order by id limit ${sql.lit(limit)} for update skip locked)
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
