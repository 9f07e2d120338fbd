import { type Kysely, sql } from 'kysely';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';

/** Days an event stays in the outbox, longer than in a stream. */
export const KEEP_DAYS = 7;
const LETTER_DAYS = 90;
const IDEMPOTENCY_DAYS = 30;
const REMOVALS = [
  ['forget_old_inbox', KEEP_DAYS * 2],
  ['remove_old_letters', LETTER_DAYS],
  ['remove_old_answers', IDEMPOTENCY_DAYS],
] as const;
/** Rows removed in one statement; more are removed in the next. */
const BATCH = 10_000;
const UPKEEP_MS = 3_600_000;
const UPKEEP_AGAIN_MS = 60_000;

/**
 * Makes room in the tables every hour, beside the relay: whatever becomes of it, events are
 * published. Outbox rows live 7 days, the notes of events done 14 (an event sent again lies in its
 * stream for some more), dead letters 90, answers kept for idempotency keys 30.
 */
export async function keepTidy<Tables>(
  { db, log }: { db: Kysely<Tables>; log: Logger },
  stopping: AbortSignal,
): Promise<void> {
  while (!stopping.aborted) {
    const pause = await tidy(db, stopping).then(
      () => UPKEEP_MS,
      (error: unknown) => {
        log.error({ err: error }, 'old messages not removed, trying again');
        return UPKEEP_AGAIN_MS;
      },
    );
    await sleep(pause, undefined, { signal: stopping }).catch(() => undefined);
  }
}

async function tidy<Tables>(db: Kysely<Tables>, stopping: AbortSignal): Promise<void> {
  await sql`select keep_messaging_tidy(${sql.lit(KEEP_DAYS)})`.execute(db);
  for (const [remove, days] of REMOVALS) {
    let full = true;
    while (full) {
      const { rows } = await sql<{ removed: number }>`
        select ${sql.id(remove)}(${sql.lit(days)}, ${sql.lit(BATCH)}) as removed`.execute(db);
      full = rows[0]?.removed === BATCH && !stopping.aborted;
    }
  }
}
