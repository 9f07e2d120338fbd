import {
  type Actor,
  type DeadLetterFilter,
  discardDeadLettersOf,
  EventId,
  findDeadLettersOf,
  listDeadLettersOf,
  MAX_DEAD_LETTERS,
  MessageDiscarded,
  MessageReplayed,
  replayDeadLettersOf,
  type ServiceName,
  type WorkspaceId,
} from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { type Kysely, sql, type Transaction } from 'kysely';
import { findDeadLetters, listDeadLetters, matching } from './dead-letter-list.ts';
import { publish } from '../publishing/publish.ts';
import { respondTo, type Responder } from '../asking/requests.ts';
import type { MessagingTables } from '../tables.ts';

interface Letter {
  message_id: string;
  name: string;
}

/** On whose behalf something is done with dead letters. */
interface Asked {
  workspaceId: WorkspaceId;
  actor: Actor;
  correlationId: string;
  now: Date;
}

interface Taken {
  messageIds: EventId[];
  /** As many as asked for were there, so there may be others. */
  more: boolean;
}

/**
 * Puts dead letters back in the line of their key, as if they had just failed for the first time:
 * the named one, or the oldest that fit. What is in line or done already is no dead letter, so a
 * repeat does nothing.
 */
export async function replayDeadLetters<Tables extends MessagingTables>(
  db: Kysely<Tables>,
  service: ServiceName,
  asked: Asked & {
    messageId?: EventId | undefined;
    filter?: DeadLetterFilter | undefined;
    limit?: number | undefined;
  },
): Promise<Taken> {
  const { workspaceId, messageId, filter = {}, limit = MAX_DEAD_LETTERS } = asked;
  const wanted = messageId === undefined ? filter : { ...filter, messageIds: [messageId] };
  return withWorkspace(db, workspaceId, async (tx) => {
    const letters = await takeLetters(tx, workspaceId, { filter: wanted, limit });
    await announce(tx, MessageReplayed[service], { asked, letters });
    return { messageIds: idsOf(letters), more: letters.length === limit };
  });
}

/** Throws dead letters away. The notes that they were dealt with stay, so no repeat brings them back. */
export async function discardDeadLetters<Tables extends MessagingTables>(
  db: Kysely<Tables>,
  service: ServiceName,
  asked: Asked & { messageIds: readonly EventId[] },
): Promise<Taken> {
  const { workspaceId, messageIds } = asked;
  return withWorkspace(db, workspaceId, async (tx) => {
    const { rows: letters } = await sql<Letter>`delete from dead_letter
      where workspace_id = ${workspaceId} and message_id = any (${[...messageIds]}::text[])
      returning message_id, name`.execute(tx);
    await announce(tx, MessageDiscarded[service], { asked, letters });
    return { messageIds: idsOf(letters), more: false };
  });
}

const idsOf = (letters: readonly Letter[]): EventId[] =>
  letters.map(({ message_id }) => EventId.parse(message_id));

async function announce<Tables extends MessagingTables>(
  tx: Transaction<Tables>,
  definition: (typeof MessageReplayed | typeof MessageDiscarded)[ServiceName],
  { asked, letters }: { asked: Asked; letters: readonly Letter[] },
): Promise<void> {
  const { workspaceId, actor, correlationId, now } = asked;
  for (const { message_id, name } of letters) {
    await publish(tx, definition, {
      origin: { workspaceId, actor, correlationId },
      key: message_id,
      payload: { messageId: EventId.parse(message_id), messageName: name },
      now,
    });
  }
}

/** The note that it was dealt with goes in the same breath, or it would be taken for a repeat. */
async function takeLetters<Tables extends MessagingTables>(
  tx: Transaction<Tables>,
  workspaceId: WorkspaceId,
  { filter, limit }: { filter: DeadLetterFilter; limit: number },
): Promise<Letter[]> {
  const { rows } = await sql<Letter>`
    with taken as (
      -- as an array it is read once; within "in" it may be read again, and take more than the limit
      delete from dead_letter where workspace_id = ${workspaceId} and message_id = any (array(
        select message_id from dead_letter where ${matching(workspaceId, filter)}
        order by created_at, message_id limit ${limit}::int for update skip locked))
      returning workspace_id, message_id, name, key, body, cause, created_at),
    forgotten as (
      delete from inbox using taken
      where inbox.workspace_id = taken.workspace_id and inbox.event_id = taken.message_id),
    waiting as (
      insert into inbox_waiting
        (event_id, workspace_id, name, key, body, attempts, not_before, last_error)
      select message_id, workspace_id, name, coalesce(key, workspace_id || '|' || message_id), body,
        0, now(), cause
      from taken order by created_at, message_id)
    select message_id, name from taken order by created_at, message_id`.execute(tx);
  return rows;
}

/** Lets whoever shows parked messages look for them, and have them replayed or discarded. */
export const createDeadLetterResponders = <Tables extends MessagingTables>({
  db,
  service,
}: {
  db: Kysely<Tables>;
  service: ServiceName;
}): Responder[] => [
  respondTo(replayDeadLettersOf(service), (asked) =>
    replayDeadLetters(db, service, { ...asked, now: new Date() }),
  ),
  respondTo(discardDeadLettersOf(service), (asked) =>
    discardDeadLetters(db, service, { ...asked, now: new Date() }),
  ),
  respondTo(findDeadLettersOf(service), ({ workspaceId, filter, limit }) =>
    findDeadLetters(db, workspaceId, { filter, limit }),
  ),
  respondTo(listDeadLettersOf(service), async ({ workspaceId, messageIds }) => ({
    messageIds: await listDeadLetters(db, workspaceId, messageIds),
  })),
];
