import {
  type EventDefinition,
  type EventEnvelope,
  EventId,
  type ServiceName,
  MessageParked,
  type WorkspaceId,
} from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { isHopeless } from '@manifold/errors';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { z } from 'zod';
import { publish } from './publish.ts';
import type { MessagingTables } from './tables.ts';

/** What a service does about one event. */
export interface Handler<Tables> {
  readonly eventName: string;
  /** Values that keep their order: events with the same key are handled one after the other. */
  readonly keyOf: (event: EventEnvelope) => string;
  /** Reads what the event refers to, outside the transaction; may ask other services. */
  readonly prepare: (event: unknown) => Promise<(tx: Transaction<Tables>) => Promise<void>>;
}

type EventOf<Definition extends EventDefinition> = z.infer<Definition['envelope']>;

/** Pairs an event with what to do about it, in one transaction with the note that it was done. */
export function on<Tables, Definition extends EventDefinition>(
  definition: Definition,
  react: (tx: Transaction<Tables>, event: EventOf<Definition>) => Promise<void>,
  options: { keyOf?: (event: EventOf<Definition>) => string } = {},
): Handler<Tables> {
  return onPrepared(
    definition,
    async () => undefined,
    (tx, event) => react(tx, event),
    options,
  );
}

/** As `on`, with a step before the transaction: what it returns is handed to `react`. */
export function onPrepared<Tables, Definition extends EventDefinition, Prepared>(
  definition: Definition,
  prepare: (event: EventOf<Definition>) => Promise<Prepared>,
  react: (tx: Transaction<Tables>, event: EventOf<Definition>, prepared: Prepared) => Promise<void>,
  options: { keyOf?: (event: EventOf<Definition>) => string } = {},
): Handler<Tables> {
  // parsed by this very envelope before it is used
  const parse = (event: unknown) => definition.envelope.parse(event) as EventOf<Definition>;
  return {
    eventName: definition.name,
    keyOf: (event) => options.keyOf?.(parse(event)) ?? event.workspaceId,
    prepare: async (unparsed) => {
      const event = parse(unparsed);
      const prepared = await prepare(event);
      return (tx) => react(tx, event, prepared);
    },
  };
}

/** Pauses before a failed event is tried again; after the last it is parked. */
export const RETRY_DELAYS_MS = [1_000, 5_000, 30_000, 120_000];

export interface Received {
  readonly event: EventEnvelope;
  readonly key: string;
  readonly body: string;
}

/**
 * Handles one event to one of its ends: done, seen before, or kept in Postgres to wait. After this
 * returns the message may be acknowledged: the broker holds nothing we need. Throws only when
 * Postgres itself fails.
 */
export async function handleEvent<Tables extends MessagingTables>(
  context: { db: Kysely<Tables>; service: ServiceName; handler: Handler<Tables> },
  received: Received,
): Promise<'done' | 'waiting' | 'repeated'> {
  const { db, handler } = context;
  const { event, key } = received;
  if (await waitsBehindAnother(db, event.workspaceId, key)) {
    await keepWaiting(db, received, { attempts: 0, cause: 'an earlier event of this key waits' });
    return 'waiting';
  }
  try {
    return await runOnce(db, handler, event);
  } catch (error) {
    await giveTime(context, received, { attempts: 1, error });
    return 'waiting';
  }
}

/** Runs the handler and notes the event as done, in one transaction; a repeat does nothing. */
export async function runOnce<Tables extends MessagingTables>(
  db: Kysely<Tables>,
  handler: Handler<Tables>,
  event: EventEnvelope,
): Promise<'done' | 'repeated'> {
  const react = await handler.prepare(event);
  return withWorkspace(db, event.workspaceId, async (tx) => {
    const { numAffectedRows } = await sql`insert into inbox (event_id, workspace_id)
      values (${event.id}, ${event.workspaceId}) on conflict do nothing`.execute(tx);
    if (numAffectedRows === 0n) return 'repeated';
    await react(tx);
    return 'done';
  });
}

async function waitsBehindAnother<Tables>(
  db: Kysely<Tables>,
  workspaceId: WorkspaceId,
  key: string,
) {
  const { rows } = await withWorkspace(db, workspaceId, (tx) =>
    sql`select 1 from inbox_waiting where workspace_id = ${workspaceId} and key = ${key} limit 1`.execute(
      tx,
    ),
  );
  return rows.length > 0;
}

async function keepWaiting<Tables>(
  db: Kysely<Tables>,
  { event, key, body }: Received,
  { attempts, cause }: { attempts: number; cause: string },
): Promise<void> {
  const delay = RETRY_DELAYS_MS[attempts - 1] ?? 0;
  await withWorkspace(db, event.workspaceId, (tx) =>
    sql`insert into inbox_waiting (event_id, workspace_id, name, key, body, attempts, not_before, last_error)
      values (${event.id}, ${event.workspaceId}, ${event.name}, ${key}, ${body}, ${attempts},
        now() + ${delay}::int * interval '1 millisecond', ${cause})
      on conflict (workspace_id, event_id) do update set attempts = excluded.attempts,
        not_before = excluded.not_before, last_error = excluded.last_error`.execute(tx),
  );
}

/** A failed try: another later, or, when it is hopeless or was the last, a dead letter. */
export async function giveTime<Tables extends MessagingTables>(
  context: { db: Kysely<Tables>; service: ServiceName },
  received: Received,
  failure: { attempts: number; error: unknown },
): Promise<void> {
  const { attempts, error } = failure;
  if (isHopeless(error) || attempts > RETRY_DELAYS_MS.length) {
    return park(context, received, failure);
  }
  await keepWaiting(context.db, received, { attempts, cause: causeOf(error) });
}

/** Keeps a message for a person, with its cause, and says so in an event. */
export async function park<Tables extends MessagingTables>(
  context: { db: Kysely<Tables>; service: ServiceName },
  { event, body }: Received,
  { attempts, error }: { attempts: number; error: unknown },
): Promise<void> {
  const { db, service } = context;
  const reason =
    error instanceof Error && error.name === 'ZodError' ? 'message_unreadable' : 'handler_failed';
  const now = new Date();
  await withWorkspace(db, event.workspaceId, async (tx) => {
    await sql`insert into dead_letter (message_id, workspace_id, name, reason, cause, attempts, body)
      values (${event.id}, ${event.workspaceId}, ${event.name}, ${reason}, ${causeOf(error)}, ${attempts}, ${body})
      on conflict do nothing`.execute(tx);
    await sql`insert into inbox (event_id, workspace_id) values (${event.id}, ${event.workspaceId})
      on conflict do nothing`.execute(tx);
    await sql`delete from inbox_waiting where workspace_id = ${event.workspaceId} and event_id = ${event.id}`.execute(
      tx,
    );
    await publish(tx, MessageParked[service], {
      origin: {
        workspaceId: event.workspaceId,
        actor: { kind: 'service', id: service },
        correlationId: event.correlationId,
        causationId: EventId.parse(event.id),
      },
      key: event.id,
      payload: { messageId: event.id, messageName: event.name, reason, attempts },
      now,
    });
  });
}

/** The kind of failure without its values: messages of drivers and parsers can quote data. */
const causeOf = (error: unknown): string => {
  if (!(error instanceof Error)) return 'unknown';
  const code = 'code' in error && typeof error.code === 'string' ? ` ${error.code}` : '';
  return `${error.name}${code}`.slice(0, 200);
};
