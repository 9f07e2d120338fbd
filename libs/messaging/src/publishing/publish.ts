import {
  type Actor,
  EventId,
  type EventDefinition,
  parseForWriting,
  type WorkspaceId,
} from '@manifold/contracts';
import { newId, wakeAfterCommit } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { z } from 'zod';
import { MAX_EVENT_BYTES } from '../streams/streams.ts';
import type { MessagingTables } from '../tables.ts';

/** The broker takes 1 MiB; the rest is for how the database writes it down. */
const MAX_COMMAND_BYTES = 768 * 1024;

/** Who caused an event and what it follows from; handed down from the edge that began the work. */
export interface Origin {
  workspaceId: WorkspaceId;
  actor: Actor;
  correlationId: string;
  causationId?: EventId | undefined;
}

/** Kysely is invariant in its tables, so a service's own transaction is narrowed here, once. */
const messagingOf = (tx: unknown) => tx as Kysely<MessagingTables>;

type PayloadOf<Definition extends EventDefinition> = z.infer<Definition['envelope']>['payload'];

/**
 * Adds an event to the outbox. Takes a transaction, never a bare connection: the event commits with
 * the change it reports. `key` is what keeps its order (usually the id of the thing); the key is
 * locked until the commit, so events of one key are published in the order of their commits.
 */
export async function publish<Tables, Definition extends EventDefinition>(
  tx: Transaction<Tables>,
  definition: Definition,
  event: { origin: Origin; key: string; payload: PayloadOf<Definition>; now: Date },
): Promise<void> {
  const { origin, key, now } = event;
  const envelope = parseForWriting(definition.envelope, {
    id: newId('ev', EventId),
    name: definition.name,
    workspaceId: origin.workspaceId,
    occurredAt: now.toISOString(),
    actor: origin.actor,
    correlationId: origin.correlationId,
    ...(origin.causationId === undefined ? {} : { causationId: origin.causationId }),
    payload: event.payload,
  });
  const body = JSON.stringify(envelope);
  if (Buffer.byteLength(body) > MAX_EVENT_BYTES) throw new Error(`${definition.name} is too large`);
  // the lock first: the row's number is given when the lock is held
  await sql`
    with locked as materialized (select ${lockOf(origin.workspaceId, key)})
    insert into outbox (workspace_id, event_id, name, key, body, published_at)
    select ${origin.workspaceId}, ${envelope.id}, ${definition.name}, ${key}, ${body}::jsonb, null
    from locked`.execute(tx);
  wakeAfterCommit(tx);
}

const lockOf = (workspaceId: string, key: string) =>
  sql`pg_advisory_xact_lock(hashtextextended(${`${workspaceId}|${key}`}, 0))`;

/** Holds a key of a workspace until the transaction ends: writers of one key take turns. */
export async function lockKey<Tables>(
  tx: Transaction<Tables>,
  workspaceId: string,
  key: string,
): Promise<void> {
  await sql`select ${lockOf(workspaceId, key)}`.execute(tx);
}

/**
 * Adds a command for another service to the outbox. The relay repeats it until the receiver has
 * stored or refused it, then the row goes. The receiver sees `question` as the request's shape. One
 * too large to travel is refused, because it would hold its key for ever.
 */
export async function sendCommand<Tables, Question extends z.ZodType>(
  tx: Transaction<Tables>,
  definition: { subject: string; question: Question },
  command: { workspaceId: WorkspaceId; key: string; question: z.input<Question> },
): Promise<void> {
  const body = JSON.stringify(definition.question.parse(command.question));
  if (Buffer.byteLength(body) > MAX_COMMAND_BYTES) throw tooLarge(definition.subject);
  await messagingOf(tx)
    .insertInto('command_outbox')
    .values({
      workspace_id: command.workspaceId,
      subject: definition.subject,
      key: command.key,
      body,
    })
    .execute();
  wakeAfterCommit(tx);
}

/** What cannot travel in one message, by name; `invalid`, because it stays too large. */
export const tooLarge = (subject: string): Refusal =>
  new Refusal('invalid', `What ${subject} carries is too large for one message`, {
    reason: 'too_many_items',
    fix: 'Send less at once.',
  });
