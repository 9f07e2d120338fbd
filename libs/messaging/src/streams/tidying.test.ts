import { acrossWorkspaces, createIdempotency } from '@manifold/database';
import { captureLog, createTestDatabase, eventually } from '@manifold/testing';
import { type Kysely, sql } from 'kysely';
import { afterAll, expect, test } from 'vitest';
import { migrations, type Tables, workspaceId } from '../fixtures/notes.ts';
import { createMessaging, extendMessaging } from '../tables.ts';
import { keepTidy } from './tidying.ts';
import { boundMessaging } from './upkeep.ts';

const without = await createTestDatabase<Tables>(migrations);
const { db, drop } = await createTestDatabase<Tables>({
  '0001-messaging': {
    up: async (tables: Kysely<unknown>) => {
      await createMessaging(tables);
      await createIdempotency(tables);
    },
  },
  '0090-messaging': { up: extendMessaging },
  '0091-messaging-upkeep': { up: boundMessaging },
});
afterAll(async () => {
  await drop();
  await without.drop();
});

test('old dead letters and answers to idempotency keys are removed, younger ones kept', async () => {
  await acrossWorkspaces(db, async (tx) => {
    for (const days of [0, 29, 31, 89, 91]) {
      await sql`insert into idempotency (workspace_id, operation, key, input_hash, result_id, created_at)
        values (${workspaceId}, 'op', ${String(days)}, 'h', 'r', now() - ${days} * interval '1 day')`.execute(
        tx,
      );
      await sql`insert into dead_letter (message_id, workspace_id, name, reason, cause, attempts, body, created_at)
        values (${String(days)}, ${workspaceId}, 'n', 'handler_failed', 'c', 5, '{}', now() - ${days} * interval '1 day')`.execute(
        tx,
      );
    }
  });

  await tidyOnce(db);

  const left = await acrossWorkspaces(db, async (tx) => ({
    keys: (
      await sql<{ key: string }>`select key from idempotency order by created_at desc`.execute(tx)
    ).rows,
    letters: (
      await sql<{
        key: string;
      }>`select message_id as key from dead_letter order by created_at desc`.execute(tx)
    ).rows,
  }));
  expect(left.keys.map(({ key }) => key)).toEqual(['0', '29']);
  expect(left.letters.map(({ key }) => key)).toEqual(['0', '29', '31', '89']);
});

test('a service that answers no idempotency keys is tidied as well', async () => {
  await expect(tidyOnce(without.db)).resolves.toBeUndefined();
});

test('notes of events done are removed to the last, however many are old', async () => {
  await acrossWorkspaces(db, async (tx) => {
    await sql`insert into inbox (event_id, workspace_id, done_at)
      select n::text, ${workspaceId}, now() - (case when n <= 25000 then 15 else 13 end) * interval '1 day'
      from generate_series(1, 25010) n`.execute(tx);
  });

  await keepTidyUntil(async () => (await inboxSize()) === 10);
});

/** One round: it is told to stop while that runs. */
async function tidyOnce(tables: Kysely<Tables>): Promise<void> {
  const stopping = new AbortController();
  const { log, lines } = captureLog();
  const tidied = keepTidy({ db: tables, log }, stopping.signal);
  stopping.abort();
  await tidied;
  expect(lines).toEqual([]);
}

async function keepTidyUntil(done: () => Promise<boolean>): Promise<void> {
  const stopping = new AbortController();
  const { log } = captureLog();
  const tidied = keepTidy({ db, log }, stopping.signal);
  await eventually(async () => expect(await done()).toBe(true));
  stopping.abort();
  await tidied;
}

const inboxSize = () =>
  acrossWorkspaces(db, async (tx) => {
    const { rows } = await sql<{ n: number }>`select count(*)::int as n from inbox`.execute(tx);
    return rows[0]?.n;
  });
