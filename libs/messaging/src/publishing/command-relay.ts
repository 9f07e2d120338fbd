import { WorkspaceId } from '@manifold/contracts';
import { acrossWorkspaces, onOutgoing, withWorkspace } from '@manifold/database';
import { isHopeless, Refusal } from '@manifold/errors';
import type { NatsConnection } from '@nats-io/transport-node';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { Logger } from 'pino';
import { createLatch } from '../latch.ts';
import { tooLarge } from './publish.ts';
import { askRaw } from '../asking/requests.ts';
import type { MessagingTables } from '../tables.ts';

const BATCH = 100;
const POLL_MS = 250;
// one try takes at most 5 s; what a killed replica held is due again soon after
const LEASE_MS = 7_000;
const RETRY_DELAYS_MS = [500, 1_000, 2_000, 5_000, 15_000];
/** A receiver that fails this often, over ten minutes or more, will not take the command. */
const MAX_FAILURES = 20;

interface CommandRow {
  id: string;
  workspace_id: string;
  subject: string;
  key: string;
  body: unknown;
  attempts: number;
  failures: number;
  /** Whether its receiver has failed on it for ten minutes. */
  fails_long: boolean;
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
 * the command. For good is also what the broker cannot carry and what a receiver fails on for long. Commands of one key go one after the other; replicas share the work by lease.
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
  const settled = await Promise.allSettled(rows.map((row) => sendOne(options, row)));
  for (const one of settled) {
    // its lease ends by itself: one that cannot be settled holds up no other
    if (one.status === 'rejected') options.log.error({ err: one.reason }, 'command not settled');
  }
  return settled.filter((one) => one.status === 'fulfilled' && one.value).length;
}

/** Takes the oldest due command of each key and holds it for the time of one try. */
async function leaseCommands<Tables extends MessagingTables>(
  db: Kysely<Tables>,
): Promise<CommandRow[]> {
  return acrossWorkspaces(db, async (tx) => {
    const { rows } = await sql<CommandRow>`
      update command_outbox set not_before = now() + ${sql.lit(LEASE_MS)} * interval '1 millisecond'
      where id = any (array(
        select id from command_outbox c
        where not_before <= now() and not exists (
          select from command_outbox earlier
          where earlier.workspace_id = c.workspace_id and earlier.key = c.key and earlier.id < c.id)
        order by id limit ${sql.lit(BATCH)} for update skip locked))
      returning id, workspace_id, subject, key, body, attempts, failures,
        coalesce(failing_since < now() - interval '10 minutes', false) as fails_long`.execute(tx);
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
  const body = JSON.stringify(row.body);
  let answer: unknown;
  try {
    if (Buffer.byteLength(body) > (nats.info?.max_payload ?? Infinity)) throw tooLarge(row.subject);
    answer = await askRaw(nats, row.subject, body);
  } catch (error) {
    if (!(error instanceof Refusal && isForGood(error, row))) {
      const attempts = row.attempts + 1;
      log.warn({ subject: row.subject, attempts }, 'command not taken, trying again');
      await postpone(db, workspaceId, { row, failed: hasFailed(error) });
      return false;
    }
    await forget(db, row, (tx) => onRefused(tx, command, error));
    return true;
  }
  await forget(db, row, async (tx) => onStored?.(tx, command, answer));
  return true;
}

const hasFailed = (error: unknown): boolean =>
  error instanceof Refusal && error.detail.reason === 'handler_failed';

const isForGood = (refusal: Refusal, { failures, fails_long }: CommandRow): boolean =>
  isHopeless(refusal) || (hasFailed(refusal) && fails_long && failures + 1 >= MAX_FAILURES);

/** Takes a command out of the outbox and settles what becomes of it, unless another did so already. */
async function forget<Tables extends MessagingTables>(
  db: Kysely<Tables>,
  { id, workspace_id }: CommandRow,
  settle: (tx: Transaction<Tables>) => Promise<void>,
): Promise<void> {
  await withWorkspace(db, WorkspaceId.parse(workspace_id), async (tx) => {
    const { numAffectedRows } = await sql`delete from command_outbox where id = ${id}`.execute(tx);
    if (numAffectedRows === 1n) await settle(tx);
  });
}

async function postpone<Tables>(
  db: Kysely<Tables>,
  workspaceId: WorkspaceId,
  { row, failed }: { row: CommandRow; failed: boolean },
): Promise<void> {
  const delay = RETRY_DELAYS_MS[Math.min(row.attempts, RETRY_DELAYS_MS.length - 1)] ?? 0;
  await withWorkspace(db, workspaceId, (tx) =>
    sql`update command_outbox set attempts = attempts + 1, failures = failures + ${failed ? 1 : 0}::int,
      failing_since = case when ${failed}::boolean then coalesce(failing_since, now()) else failing_since end,
      not_before = now() + ${sql.lit(delay)} * interval '1 millisecond' where id = ${row.id}`.execute(
      tx,
    ),
  );
}
