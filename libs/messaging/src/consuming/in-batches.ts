import { type EventEnvelope, EventEnvelopeHead } from '@manifold/contracts';
import { acrossWorkspaces } from '@manifold/database';
import type { JsMsg } from '@nats-io/jetstream';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { Handler } from './handler.ts';
import {
  type Incoming,
  keepAlive,
  type Messages,
  readIncoming,
  settle,
  type Settling,
  tellBroker,
} from './incoming.ts';
import { createLatch } from '../latch.ts';
import type { MessagingTables } from '../tables.ts';

const BATCH = 200;
const QUEUED = 1_000;
const IDLE_MS = 1_000;
const RETRY_MS = 1_000;

/** What to do about many events at once, where their order does not matter. */
export interface Batch<Tables, Line> {
  eventNames: readonly string[];
  /** What is to be written for one event. */
  read: (event: EventEnvelope) => Line;
  /** Writes what is new, of any workspaces, in one transaction with the note that it was done. */
  write: (tx: Transaction<Tables>, lines: readonly Line[]) => Promise<void>;
}

/** The same, one event at a time: for an event that spoils its batch, and for trying it again. */
export const handlersOf = <Tables, Line>(batch: Batch<Tables, Line>): Handler<Tables>[] =>
  batch.eventNames.map((eventName) => ({
    eventName,
    keyOf: ({ id }) => id,
    prepare: async (unread) => {
      const line = batch.read(EventEnvelopeHead.parse(unread));
      return (tx) => batch.write(tx, [line]);
    },
  }));

/** Settles messages until there are no more, as many in one transaction as have come meanwhile. */
export async function settleInBatches<Tables extends MessagingTables, Line>(
  options: Settling<Tables> & { batch: Batch<Tables, Line> },
  messages: Messages,
): Promise<void> {
  const queue: Incoming<Tables>[] = [];
  const pending = new Set<JsMsg>();
  const ended = new AbortController();
  const [arrived, taken] = [createLatch(IDLE_MS, ended.signal), createLatch(IDLE_MS, ended.signal)];
  const stopHeartbeat = keepAlive(pending);
  const working = (async () => {
    while (queue.length > 0 || !ended.signal.aborted) {
      const some = queue.splice(0, BATCH);
      taken.set();
      if (some.length === 0) await arrived.wait();
      else await settleTogether(options, some);
      for (const { message } of some) pending.delete(message);
    }
  })();
  try {
    for await (const message of messages) {
      pending.add(message);
      queue.push(readIncoming(options.handlers, message));
      arrived.set();
      while (queue.length >= QUEUED) await taken.wait();
    }
  } finally {
    ended.abort();
    await working;
    stopHeartbeat();
  }
}

async function settleTogether<Tables extends MessagingTables, Line>(
  options: Settling<Tables> & { batch: Batch<Tables, Line> },
  incoming: readonly Incoming<Tables>[],
): Promise<void> {
  try {
    const known = incoming.map(({ known: found }) => found?.event);
    // one that cannot be read spoils the batch: each is then settled by itself
    const lines = new Map(
      known.map((event) => [unspoilt(event).id, options.batch.read(unspoilt(event))]),
    );
    await writeTogether(
      options,
      known.filter((event) => event !== undefined),
      lines,
    );
    for (const { message } of incoming) tellBroker(() => message.ack());
  } catch (error) {
    options.log.warn({ err: error }, 'events are settled one by one');
    for (const one of incoming) {
      // their order does not matter, so one that cannot be stored need not hold up the others
      if (!(await settle(options, one))) tellBroker(() => one.message.nak(RETRY_MS));
    }
  }
}

function unspoilt(event: EventEnvelope | undefined): EventEnvelope {
  if (!event) throw new Error('A message is none of ours');
  return event;
}

async function writeTogether<Tables extends MessagingTables, Line>(
  { db, batch }: { db: Kysely<Tables>; batch: Batch<Tables, Line> },
  events: readonly EventEnvelope[],
  lines: ReadonlyMap<string, Line>,
): Promise<void> {
  const ids = events.map(({ id }) => id);
  const workspaces = events.map(({ workspaceId }) => workspaceId);
  await acrossWorkspaces(db, async (tx) => {
    const { rows } = await sql<{ event_id: string }>`insert into inbox (event_id, workspace_id)
      select * from unnest(${ids}::text[], ${workspaces}::text[])
      on conflict do nothing returning event_id`.execute(tx);
    const fresh = rows.flatMap(({ event_id }) => {
      const line = lines.get(event_id);
      return line === undefined ? [] : [line];
    });
    if (fresh.length > 0) await batch.write(tx, fresh);
  });
}
