import { type EventEnvelope, EventId, type ServiceName, MessageParked } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { isHopeless, Refusal } from '@manifold/errors';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { Handler } from './handler.ts';
import { publish } from '../publishing/publish.ts';
import type { MessagingTables } from '../tables.ts';

/** Pauses before a failed event is tried again; after the last it is parked. */
export const RETRY_DELAYS_MS = [1_000, 5_000, 30_000, 120_000];
/** Pause while somebody we depend on is away: no fault of the event, so it costs no try. */
const AWAY_DELAY_MS = 5_000;

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
  try {
    const outcome = await runOnce(db, handler, received);
    if (outcome !== 'behind') return outcome;
  } catch (error) {
    await giveTime(context, received, { attempts: 1, error });
    return 'waiting';
  }
  await keepWaiting(db, received, { attempts: 0, cause: 'an earlier event of this key waits' });
  return 'waiting';
}

/**
 * Runs the handler and notes the event as done, in one transaction; a repeat does nothing, and so
 * does an event whose key has an earlier one waiting.
 */
async function runOnce<Tables extends MessagingTables>(
  db: Kysely<Tables>,
  handler: Handler<Tables>,
  { event, key }: Received,
): Promise<'done' | 'repeated' | 'behind'> {
  if (handler.asks === true) {
    const state = await withWorkspace(db, event.workspaceId, (tx) => stateOf(tx, event, key));
    if (state !== 'fresh') return state;
  }
  const react = await handler.prepare(event);
  return withWorkspace(db, event.workspaceId, async (tx) => {
    const state = await noteAsDone(tx, event, key);
    if (state === 'fresh') await react(tx);
    return state === 'fresh' ? 'done' : state;
  });
}

type State = 'fresh' | 'repeated' | 'behind';

async function stateOf<Tables>(
  tx: Transaction<Tables>,
  event: EventEnvelope,
  key: string,
): Promise<State> {
  const { rows } = await sql<{ done: boolean; behind: boolean }>`
    select exists (${doneBefore(event)}) as done, exists (${earlierOf(event, key)}) as behind`.execute(
    tx,
  );
  if (rows[0]?.done === true) return 'repeated';
  return rows[0]?.behind === true ? 'behind' : 'fresh';
}

/** One statement, because this runs for every event. */
async function noteAsDone<Tables>(
  tx: Transaction<Tables>,
  event: EventEnvelope,
  key: string,
): Promise<State> {
  const { rows } = await sql<{ done: boolean; behind: boolean; fresh: boolean }>`
    with done as (${doneBefore(event)}), earlier as (${earlierOf(event, key)}),
    noted as (
      insert into inbox (event_id, workspace_id) select ${event.id}, ${event.workspaceId}
      where not exists (select from earlier) on conflict do nothing returning event_id)
    select exists (select from done) as done, exists (select from earlier) as behind,
      exists (select from noted) as fresh`.execute(tx);
  if (rows[0]?.fresh === true) return 'fresh';
  return rows[0]?.behind === true && !rows[0].done ? 'behind' : 'repeated';
}

const doneBefore = ({ id, workspaceId }: EventEnvelope) => sql`
  select from inbox where workspace_id = ${workspaceId} and event_id = ${id}`;
const earlierOf = ({ workspaceId }: EventEnvelope, key: string) => sql`
  select from inbox_waiting where workspace_id = ${workspaceId} and key = ${key} limit 1`;

/** Tries the first waiting event of a key again, and takes it out of the line when it is done. */
export async function runWaiting<Tables extends MessagingTables>(
  db: Kysely<Tables>,
  handler: Handler<Tables>,
  event: EventEnvelope,
): Promise<void> {
  const react = await handler.prepare(event);
  await withWorkspace(db, event.workspaceId, async (tx) => {
    const { numAffectedRows } = await sql`insert into inbox (event_id, workspace_id)
      values (${event.id}, ${event.workspaceId}) on conflict do nothing`.execute(tx);
    if (numAffectedRows !== 0n) await react(tx);
    await sql`delete from inbox_waiting
      where workspace_id = ${event.workspaceId} and event_id = ${event.id}`.execute(tx);
  });
}

/** An event the broker brings again while it waits keeps its place and its count of tries. */
async function keepWaiting<Tables>(
  db: Kysely<Tables>,
  { event, key, body }: Received,
  { attempts, cause, delayMs = 0 }: { attempts: number; cause: string; delayMs?: number },
): Promise<void> {
  await withWorkspace(db, event.workspaceId, (tx) =>
    sql`insert into inbox_waiting (event_id, workspace_id, name, key, body, attempts, not_before, last_error)
      select ${event.id}, ${event.workspaceId}, ${event.name}, ${key}, ${body}::jsonb, ${attempts}::int,
        now() + ${delayMs}::int * interval '1 millisecond', ${cause}
      where not exists (${doneBefore(event)})
      on conflict (workspace_id, event_id) do update set attempts = excluded.attempts,
        not_before = excluded.not_before, last_error = excluded.last_error
      where inbox_waiting.attempts <= excluded.attempts`.execute(tx),
  );
}

/** A failed try: another later, or, when it is hopeless or was the last, a dead letter. A service that is away is waited for. */
export async function giveTime<Tables extends MessagingTables>(
  context: { db: Kysely<Tables>; service: ServiceName },
  received: Received,
  failure: { attempts: number; error: unknown },
): Promise<void> {
  const { attempts, error } = failure;
  const cause = causeOf(error);
  if (isAway(error)) {
    const waiting = { attempts: attempts - 1, cause, delayMs: AWAY_DELAY_MS };
    return keepWaiting(context.db, received, waiting);
  }
  if (isHopeless(error) || attempts > RETRY_DELAYS_MS.length) {
    return park(context, received, failure);
  }
  const delayMs = RETRY_DELAYS_MS[attempts - 1] ?? 0;
  await keepWaiting(context.db, received, { attempts, cause, delayMs });
}

/** A service that answers that it failed is there: its bug costs tries, or it would be waited for for ever. */
const isAway = (error: unknown): boolean =>
  error instanceof Refusal &&
  (error.kind === 'unavailable' || error.kind === 'limited') &&
  error.detail.reason !== 'handler_failed';

/**
 * Keeps a message for a person, with its cause, and says so in an event. A try that comes to its end
 * late, when the event was dealt with meanwhile, does nothing.
 */
export async function park<Tables extends MessagingTables>(
  context: { db: Kysely<Tables>; service: ServiceName },
  { event, key, body }: Received,
  { attempts, error }: { attempts: number; error: unknown },
): Promise<void> {
  const { db, service } = context;
  const reason =
    error instanceof Error && error.name === 'ZodError' ? 'message_unreadable' : 'handler_failed';
  await withWorkspace(db, event.workspaceId, async (tx) => {
    const { numAffectedRows } = await sql`insert into inbox (event_id, workspace_id)
      values (${event.id}, ${event.workspaceId}) on conflict do nothing`.execute(tx);
    await sql`delete from inbox_waiting where workspace_id = ${event.workspaceId} and event_id = ${event.id}`.execute(
      tx,
    );
    if (numAffectedRows === 0n) return;
    await sql`insert into dead_letter (message_id, workspace_id, name, key, reason, cause, attempts, body)
      values (${event.id}, ${event.workspaceId}, ${event.name}, ${key}, ${reason}, ${causeOf(error)}, ${attempts}, ${body})
      on conflict do nothing`.execute(tx);
    // who follows his own announcements would have each that fails followed by another, without end
    if (event.name === MessageParked[service].name) return;
    await publish(tx, MessageParked[service], {
      origin: {
        workspaceId: event.workspaceId,
        actor: { kind: 'service', id: service },
        correlationId: event.correlationId,
        causationId: EventId.parse(event.id),
      },
      key: event.id,
      payload: { messageId: event.id, messageName: event.name, reason, attempts },
      now: new Date(),
    });
  });
}

/** The kind of failure without its values: messages of drivers and parsers can quote data. */
const causeOf = (error: unknown): string => {
  if (!(error instanceof Error)) return 'unknown';
  const code = 'code' in error && typeof error.code === 'string' ? ` ${error.code}` : '';
  return `${error.name}${code}`.slice(0, 200);
};
