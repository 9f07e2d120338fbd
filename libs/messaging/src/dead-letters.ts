import {
  type Actor,
  EventId,
  listDeadLettersOf,
  MessageReplayed,
  replayDeadLettersOf,
  type ServiceName,
  type WorkspaceId,
} from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { type Kysely, sql, type Transaction } from 'kysely';
import { publish } from './publish.ts';
import { respondTo, type Responder } from './requests.ts';
import type { MessagingTables } from './tables.ts';

const BATCH = 100;

interface Letter {
  message_id: string;
  name: string;
}

/**
 * Puts dead letters back in the line of their key, as if they had just failed for the first time:
 * the named one, or the oldest. What is in line or done already is no dead letter, so a repeat does
 * nothing.
 */
export async function replayDeadLetters<Tables extends MessagingTables>(
  db: Kysely<Tables>,
  service: ServiceName,
  asked: {
    workspaceId: WorkspaceId;
    messageId?: EventId | undefined;
    actor: Actor;
    correlationId: string;
    now: Date;
  },
): Promise<{ messageIds: EventId[]; more: boolean }> {
  const { workspaceId, messageId, actor, correlationId, now } = asked;
  return withWorkspace(db, workspaceId, async (tx) => {
    const letters = await takeLetters(tx, workspaceId, messageId);
    for (const { message_id, name } of letters) {
      await publish(tx, MessageReplayed[service], {
        origin: { workspaceId, actor, correlationId },
        key: message_id,
        payload: { messageId: EventId.parse(message_id), messageName: name },
        now,
      });
    }
    const messageIds = letters.map(({ message_id }) => EventId.parse(message_id));
    return { messageIds, more: letters.length === BATCH };
  });
}

/** The note that it was dealt with goes in the same breath, or it would be taken for a repeat. */
async function takeLetters<Tables extends MessagingTables>(
  tx: Transaction<Tables>,
  workspaceId: WorkspaceId,
  messageId: EventId | undefined,
): Promise<Letter[]> {
  const only = messageId === undefined ? sql`true` : sql`message_id = ${messageId}`;
  const { rows } = await sql<Letter>`
    with taken as (
      delete from dead_letter where workspace_id = ${workspaceId} and message_id in (
        select message_id from dead_letter where workspace_id = ${workspaceId} and ${only}
        order by created_at, message_id limit ${sql.lit(BATCH)} for update skip locked)
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

/** Which of some messages are dead letters. */
export async function listDeadLetters<Tables extends MessagingTables>(
  db: Kysely<Tables>,
  workspaceId: WorkspaceId,
  messageIds: readonly EventId[],
): Promise<EventId[]> {
  return withWorkspace(db, workspaceId, async (tx) => {
    const { rows } = await sql<{ message_id: string }>`select message_id from dead_letter
      where workspace_id = ${workspaceId} and message_id = any (${[...messageIds]}::text[])`.execute(
      tx,
    );
    return rows.map(({ message_id }) => EventId.parse(message_id));
  });
}

/** Lets whoever shows parked messages ask for them and have them replayed. */
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
  respondTo(listDeadLettersOf(service), async ({ workspaceId, messageIds }) => ({
    messageIds: await listDeadLetters(db, workspaceId, messageIds),
  })),
];
