import type { WorkspaceId } from '@manifold/contracts';
import { type Kysely, type SqlBool, sql, type Transaction } from 'kysely';

/**
 * Runs `work` in one transaction that sees the rows of one workspace only: every table made with
 * `isolateByWorkspace` filters by it, in reads and in writes. Commits when `work` returns.
 */
export async function withWorkspace<Tables, Result>(
  db: Kysely<Tables>,
  workspaceId: WorkspaceId,
  work: (tx: Transaction<Tables>) => Promise<Result>,
): Promise<Result> {
  return runScoped(db, workspaceId, work);
}

/**
 * Runs `work` in one transaction that sees every workspace: for relays, schedulers and look-ups by
 * secret, where the workspace is what is being found out. Never reached from a resolver.
 */
export async function acrossWorkspaces<Tables, Result>(
  db: Kysely<Tables>,
  work: (tx: Transaction<Tables>) => Promise<Result>,
): Promise<Result> {
  return runScoped(db, '*', work);
}

/**
 * The rows of the workspace `withWorkspace` was given, as a condition an index can serve. Row-level
 * security keeps the others out without it, but reads the whole table to do so.
 */
export const ofThisWorkspace = sql<SqlBool>`workspace_id = current_setting('manifold.workspace')`;

export const BEGIN = 'begin';
/** What every transaction begins with: `createRun` sends it with the first statement. */
export const OPENING: readonly string[] = [
  BEGIN,
  `select set_config('manifold.workspace', $1, true)`,
];

async function runScoped<Tables, Result>(
  db: Kysely<Tables>,
  scope: string,
  work: (tx: Transaction<Tables>) => Promise<Result>,
): Promise<Result> {
  let wakeRelay = false;
  const result = await db.transaction().execute(async (tx) => {
    await sql`select set_config('manifold.workspace', ${scope}, true)`.execute(tx);
    const value = await work(tx);
    wakeRelay = outgoing.has(tx);
    return value;
  });
  if (wakeRelay) for (const wake of listeners.get(db) ?? []) wake();
  return result;
}

const outgoing = new WeakSet<object>();
const listeners = new WeakMap<object, Set<() => void>>();

/** Marks a transaction as holding outgoing messages, so that its commit wakes the relay. */
export function wakeAfterCommit(tx: object): void {
  outgoing.add(tx);
}

/** Calls `wake` after each commit that holds outgoing messages; returns how to stop. */
export function onOutgoing(db: object, wake: () => void): () => void {
  const wakes = listeners.get(db) ?? new Set();
  listeners.set(db, wakes.add(wake));
  return () => void wakes.delete(wake);
}

/** For migrations: forces row-level security by `workspace_id` on a table, its owner included. */
export async function isolateByWorkspace(db: Kysely<unknown>, table: string): Promise<void> {
  const name = sql.id(table);
  await sql`alter table ${name} enable row level security`.execute(db);
  await sql`alter table ${name} force row level security`.execute(db);
  await sql`create policy by_workspace on ${name} using (
    workspace_id = (select current_setting('manifold.workspace', true))
    or (select current_setting('manifold.workspace', true)) = '*'
  )`.execute(db);
}
