import { WorkspaceId } from '@manifold/contracts';
import { acrossWorkspaces, onOutgoing, withWorkspace } from '@manifold/database';
import { isHopeless, Refusal } from '@manifold/errors';
import type { NatsConnection } from '@nats-io/transport-node';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { Logger } from 'pino';
import { createLatch } from './latch.ts';
import { askRaw } from './requests.ts';
import type { MessagingTables } from './tables.ts';

const BATCH = 100;
const POLL_MS = 250;
// one try takes at most 5 s; what a killed replica held is due again soon after
const LEASE_MS = 7_000;
const RETRY_DELAYS_MS = [500, 1_000, 2_000, 5_000, 15_000];

interface CommandRow {
  id: string;
  workspace_id: string;
  subject: string;
  key: string;
  body: unknown;
  attempts: number;
}

/** What a service does when the receiver of a command said no for good. */
export type OnRefused<Tables> = (
  tx: Transaction<Tables>,
  command: { workspaceId: WorkspaceId; subject: string; body: unknown },
  refusal: Refusal,
) => Promise<void>;

/** What a service does once the receiver of a command has stored it; `answer` is as it came. */
export type OnStored<Tables> = (
  tx: Transaction<Tables>,
  command: { workspaceId: WorkspaceId; subject: string; body: unknown },
  answer: unknown,
) => Promise<void>;

interface RelayOptions<Tables extends MessagingTables> {
  db: Kysely<Tables>;
  nats: NatsConnection;
  log: Logger;
  onRefused: OnRefused<Tables>;
  onStored?: OnStored<Tables>;
}

/**
 * Hands commands to their receivers until each is stored there, for ever and with growing pauses.
 * The answer goes to `onStored`, a refusal for good to `onRefused`, in the transaction that forgets
 * the command. Commands of one key go one after the other; replicas share the work by lease.
 */
export function startCommandRelay<Tables extends MessagingTables>(
  options: RelayOptions<Tables>,
): () => Promise<void> {
  const { db, log } = options;
  const stopping = new AbortController();
  const latch = createLatch(POLL_MS, stopping.signal);
  const forget = onOutgoing(db, latch.set);
  const finished = (async () => {
    while (!stopping.signal.aborted) {
      const sent = await relayCommands(options).catch((error: unknown) => {
        log.error({ err: error }, 'commands not relayed, trying again');
        return 0;
      });
      if (sent === 0) await latch.wait();
    }
  })();
  return async () => {
    forget();
    stopping.abort();
    await finished;
  };
}

/** Sends one batch of due commands; returns how many left the outbox. */
async function relayCommands<Tables extends MessagingTables>(
  options: RelayOptions<Tables>,
): Promise<number> {
  const rows = await leaseCommands(options.db);
  const settled = await Promise.all(rows.map((row) => sendOne(options, row)));
  return settled.filter(Boolean).length;
}

/** Takes the oldest due command of each key and holds it for the time of one try. */
async function leaseCommands<Tables extends MessagingTables>(
  db: Kysely<Tables>,
): Promise<CommandRow[]> {
  return acrossWorkspaces(db, async (tx) => {
    const { rows } = await sql<CommandRow>`
      update command_outbox set not_before = now() + ${sql.lit(LEASE_MS)} * interval '1 millisecond'
      where id in (
        select id from command_outbox c
        where not_before <= now() and not exists (
          select from command_outbox earlier
          where earlier.workspace_id = c.workspace_id and earlier.key = c.key and earlier.id < c.id)
        order by id limit ${sql.lit(BATCH)} for update skip locked)
      returning id, workspace_id, subject, key, body, attempts`.execute(tx);
    return rows;
  });
}

async function sendOne<Tables extends MessagingTables>(
  options: RelayOptions<Tables>,
  row: CommandRow,
): Promise<boolean> {
  const { db, nats, log, onRefused, onStored } = options;
  const workspaceId = WorkspaceId.parse(row.workspace_id);
  const command = { workspaceId, subject: row.subject, body: row.body };
  let answer: unknown;
  try {
    answer = await askRaw(nats, row.subject, JSON.stringify(row.body));
  } catch (error) {
    if (!(error instanceof Refusal && isHopeless(error))) {
      log.warn(
        { subject: row.subject, attempts: row.attempts + 1 },
        'command not taken, trying again',
      );
      await postpone(db, workspaceId, row);
      return false;
    }
    await withWorkspace(db, workspaceId, async (tx) => {
      await onRefused(tx, command, error);
      await sql`delete from command_outbox where id = ${row.id}`.execute(tx);
    });
    return true;
  }
  await withWorkspace(db, workspaceId, async (tx) => {
    await onStored?.(tx, command, answer);
    await sql`delete from command_outbox where id = ${row.id}`.execute(tx);
  });
  return true;
}

async function postpone<Tables>(db: Kysely<Tables>, workspaceId: WorkspaceId, row: CommandRow) {
  const delay = RETRY_DELAYS_MS[Math.min(row.attempts, RETRY_DELAYS_MS.length - 1)] ?? 0;
  await withWorkspace(db, workspaceId, (tx) =>
    sql`update command_outbox set attempts = attempts + 1,
      not_before = now() + ${sql.lit(delay)} * interval '1 millisecond' where id = ${row.id}`.execute(
      tx,
    ),
  );
}
