import { Refusal } from '@manifold/errors';
import { type Kysely, sql, type Transaction } from 'kysely';
import { areOfDifferentInputs, markOf } from './input-marks.ts';
import { isolateByWorkspace } from './tenancy.ts';

/** Merge into a service's `Tables` to answer repeated mutations with their first answer. */
export interface IdempotencyTables {
  idempotency: {
    workspace_id: string;
    operation: string;
    key: string;
    /** See `markOf`; the input itself may hold an e-mail address. */
    input_hash: string;
    result_id: string;
    created_at: Date;
  };
}

/**
 * Does `create` once per key and returns the id it made; a repeat returns the same id without doing
 * it again. Without a key it simply creates. A repeat with another input is refused as a conflict,
 * except where the database got another password in between: then the key alone decides.
 */
export async function createOnce<Tables extends IdempotencyTables, Id extends string>(
  tx: Transaction<Tables>,
  call: {
    workspaceId: string;
    operation: string;
    key: string | undefined;
    input: unknown;
    now: Date;
    parseId: (id: string) => Id;
  },
  create: () => Promise<Id>,
): Promise<{ id: Id; repeated: boolean }> {
  if (call.key === undefined) return { id: await create(), repeated: false };
  // narrowed once: Kysely is invariant in its tables
  const db = tx as unknown as Kysely<IdempotencyTables>;
  const { workspaceId, operation, key } = call;
  const mark = markOf(db, [workspaceId, operation, key, call.input]);
  await sql`select pg_advisory_xact_lock(hashtextextended(${`${workspaceId}|${operation}|${key}`}, 0))`.execute(
    db,
  );
  const earlier = await db
    .selectFrom('idempotency')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('operation', '=', operation)
    .where('key', '=', key)
    .executeTakeFirst();
  if (earlier && areOfDifferentInputs(earlier.input_hash, mark)) {
    throw new Refusal('conflict', 'This idempotency key was used with another input', {
      reason: 'duplicate_idempotency_key',
      field: 'input.idempotencyKey',
      fix: 'Use a new key for a new input, or repeat the first input unchanged.',
    });
  }
  if (earlier) return { id: call.parseId(earlier.result_id), repeated: true };
  const id = await create();
  await db
    .insertInto('idempotency')
    .values({
      workspace_id: workspaceId,
      operation,
      key,
      input_hash: mark,
      result_id: id,
      created_at: call.now,
    })
    .execute();
  return { id, repeated: false };
}

/** For migrations: the table behind `createOnce`. */
export async function createIdempotency(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('idempotency')
    .addColumn('workspace_id', 'text', (column) => column.notNull())
    .addColumn('operation', 'text', (column) => column.notNull())
    .addColumn('key', 'text', (column) => column.notNull())
    .addColumn('input_hash', 'text', (column) => column.notNull())
    .addColumn('result_id', 'text', (column) => column.notNull())
    .addColumn('created_at', 'timestamptz', (column) => column.notNull())
    .addPrimaryKeyConstraint('idempotency_pkey', ['workspace_id', 'operation', 'key'])
    .execute();
  await isolateByWorkspace(db, 'idempotency');
}
