import { DeadLetter, type DeadLetterFilter, EventId, type WorkspaceId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { type Kysely, type RawBuilder, type SqlBool, sql } from 'kysely';
import type { MessagingTables } from '../tables.ts';

/** The dead letters of a workspace that fit, as a condition. */
export function matching(
  workspaceId: WorkspaceId,
  { messageIds, messageName, reason, parkedBefore }: DeadLetterFilter,
): RawBuilder<SqlBool> {
  const conditions = [
    sql`workspace_id = ${workspaceId}`,
    ...(messageIds === undefined ? [] : [sql`message_id = any (${[...messageIds]}::text[])`]),
    ...(messageName === undefined ? [] : [sql`name = ${messageName}`]),
    ...(reason === undefined ? [] : [sql`reason = ${reason}`]),
    ...(parkedBefore === undefined ? [] : [sql`created_at < ${parkedBefore}::timestamptz`]),
  ];
  return sql<SqlBool>`${sql.join(conditions, sql` and `)}`;
}

interface Row {
  message_id: string;
  name: string;
  reason: string;
  attempts: number;
  created_at: Date;
}

/** The oldest dead letters that fit, and how many do. */
export async function findDeadLetters<Tables extends MessagingTables>(
  db: Kysely<Tables>,
  workspaceId: WorkspaceId,
  { filter, limit }: { filter: DeadLetterFilter; limit: number },
): Promise<{ letters: DeadLetter[]; total: number }> {
  return withWorkspace(db, workspaceId, async (tx) => {
    const fits = matching(workspaceId, filter);
    const { rows } = await sql<Row>`select message_id, name, reason, attempts, created_at
      from dead_letter where ${fits} order by created_at, message_id limit ${limit}::int`.execute(
      tx,
    );
    const { rows: counted } = await sql<{ total: number }>`
      select count(*)::int as total from dead_letter where ${fits}`.execute(tx);
    const letters = rows.map((row) =>
      DeadLetter.parse({
        ...{ messageId: row.message_id, messageName: row.name, reason: row.reason },
        ...{ attempts: row.attempts, parkedAt: row.created_at.toISOString() },
      }),
    );
    return { letters, total: counted[0]?.total ?? 0 };
  });
}

/** Which of some messages are dead letters. */
export async function listDeadLetters<Tables extends MessagingTables>(
  db: Kysely<Tables>,
  workspaceId: WorkspaceId,
  messageIds: readonly EventId[],
): Promise<EventId[]> {
  return withWorkspace(db, workspaceId, async (tx) => {
    const { rows } = await sql<{ message_id: string }>`select message_id from dead_letter
      where ${matching(workspaceId, { messageIds: [...messageIds] })}`.execute(tx);
    return rows.map(({ message_id }) => EventId.parse(message_id));
  });
}
