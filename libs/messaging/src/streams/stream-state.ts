import { ownerOf } from '@manifold/contracts';
import { type Kysely, sql } from 'kysely';
import { acrossWorkspaces } from '@manifold/database';
import { JetStreamApiCodes, JetStreamApiError, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import { type Sized, tendSize } from './stream-size.ts';
import { ensureStream } from './streams.ts';
import type { MessagingTables } from '../tables.ts';

/** One of our streams as the broker has it. */
export interface Found {
  created: string;
  lastSeq: number;
}

/** One of our streams as we last knew it, and what of the outbox is to be sent to it again. */
export interface Known extends Found {
  stream: string;
  round: number;
  again: { after: string; upto: string } | undefined;
}

/** Whether the broker still has the stream we published to, with all it had taken. */
export const isUnharmed = (known: Found, found: Found): boolean =>
  found.created === known.created && found.lastSeq >= known.lastSeq;

export async function listKnown(tx: Kysely<MessagingTables>): Promise<Known[]> {
  const rows = await tx.selectFrom('outbox_stream').selectAll().orderBy('stream').execute();
  return rows.map((row) => ({
    stream: row.stream,
    created: row.created,
    lastSeq: Number(row.last_seq),
    round: row.round,
    again:
      row.again_after === null || row.again_upto === null
        ? undefined
        : { after: row.again_after, upto: row.again_upto },
  }));
}

/**
 * Compares a stream with how we knew it. One that was lost is made anew; one that was set back (a
 * restored store, a cut tail) is removed and made anew, so that its readers start over as well.
 * Either way everything the outbox still holds is from then on to be sent again.
 */
export async function checkStream(
  {
    db,
    nats,
    log,
  }: {
    db: Kysely<MessagingTables>;
    nats: NatsConnection;
    log: Logger | undefined;
  },
  stream: string,
  known: Known | undefined,
): Promise<Known> {
  const found = await findStream(nats, stream);
  if (found) await tendSize({ nats, log }, stream, found);
  if (known && found && isUnharmed(known, found)) return known;
  // known to nobody yet: a new installation, or one from before this was kept
  if (!known && found && found.lastSeq > 0) return startKnowing(db, { stream, ...found });
  if (known && found && found.lastSeq > 0 && found.lastSeq < known.lastSeq) {
    await (await jetstreamManager(nats, { checkAPI: false })).streams.delete(stream);
  }
  await ensureStream(nats, stream);
  const made = await findStream(nats, stream);
  if (!made) throw new Error(`Stream ${stream} is gone again`);
  const next = await startAgain(db, { stream, ...made }, known?.round ?? 0);
  if (next.again)
    log?.warn({ stream, round: next.round }, 'stream lost or set back; sending again');
  return next;
}

async function findStream(
  nats: NatsConnection,
  stream: string,
): Promise<(Found & Sized) | undefined> {
  const manager = await jetstreamManager(nats, { checkAPI: false });
  try {
    const { created, state, config } = await manager.streams.info(stream);
    return { created: String(created), lastSeq: state.last_seq, bytes: state.bytes, config };
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound) {
      return undefined;
    }
    throw error;
  }
}

async function startKnowing(
  db: Kysely<MessagingTables>,
  { stream, created, lastSeq }: Found & { stream: string },
): Promise<Known> {
  await acrossWorkspaces(db, (tx) =>
    tx
      .insertInto('outbox_stream')
      .values({ stream, created, last_seq: String(lastSeq), round: 0 })
      .execute(),
  );
  return { stream, created, lastSeq, round: 0, again: undefined };
}

async function startAgain(
  db: Kysely<MessagingTables>,
  { stream, created, lastSeq }: Found & { stream: string },
  lastRound: number,
): Promise<Known> {
  const round = lastRound + 1;
  return acrossWorkspaces(db, async (tx) => {
    const { upto } = await tx
      .selectFrom('outbox')
      .select((row) => row.fn.max('id').as('upto'))
      .where('published_at', 'is not', null)
      .where(ownedBy(stream))
      .executeTakeFirstOrThrow();
    const state = {
      ...{ created, last_seq: String(lastSeq), round, again_upto: upto },
      again_after: upto === null ? null : '0',
    };
    await tx
      .insertInto('outbox_stream')
      .values({ stream, ...state })
      .onConflict((conflict) => conflict.columns(['workspace_id', 'stream']).doUpdateSet(state))
      .execute();
    const again = upto === null ? undefined : { after: '0', upto };
    return { stream, created, lastSeq, round, again };
  });
}

/** Notes how far the stream has come with our events. */
export async function noteTaken(
  tx: Kysely<MessagingTables>,
  taken: ReadonlyMap<string, number>,
): Promise<void> {
  for (const [stream, sequence] of taken) {
    await tx
      .updateTable('outbox_stream')
      .set({ last_seq: sql`greatest(last_seq, ${sequence}::bigint)` })
      .where('stream', '=', stream)
      .execute();
  }
}

/** Notes how far sending again has come; `undefined`: to the end. */
export async function noteSentAgain(
  tx: Kysely<MessagingTables>,
  stream: string,
  after: string | undefined,
): Promise<void> {
  const progress =
    after === undefined ? { again_after: null, again_upto: null } : { again_after: after };
  await tx.updateTable('outbox_stream').set(progress).where('stream', '=', stream).execute();
}

/** Takes rows and all that follow them in their key for unpublished. */
export async function noteNotSent(
  tx: Kysely<MessagingTables>,
  rows: readonly { id: string; workspace_id: string; key: string; name: string }[],
): Promise<void> {
  for (const { id, workspace_id, key, name } of rows) {
    await tx
      .updateTable('outbox')
      .set({ published_at: null })
      .where('id', '>=', id)
      .where('workspace_id', '=', workspace_id)
      .where('key', '=', key)
      .where(ownedBy(ownerOf(name)))
      .execute();
  }
}

/** The rows of the outbox that go to one stream. */
export const ownedBy = (stream: string) => sql<boolean>`split_part(name, '.', 1) = ${stream}`;
