import { Kysely, PostgresDialect, sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import { openPool } from './pool.ts';

/**
 * Brings the schema up to date as the owning role, then lets the runtime role use it. Safe to run
 * in several replicas at once: the migrator holds a lock. The runtime role gets no DDL.
 */
export async function migrateToLatest(options: {
  ownerUrl: string;
  runtimeUrl: string;
  migrations: Record<string, Migration>;
}): Promise<void> {
  const db = new Kysely<unknown>({
    dialect: new PostgresDialect({
      pool: openPool({ connectionString: options.ownerUrl, max: 2 }),
    }),
  });
  try {
    const migrator = new Migrator({
      db,
      provider: { getMigrations: async () => options.migrations },
      // rooms number their migrations for themselves: a lower number may be released later
      allowUnorderedMigrations: true,
    });
    const { error } = await migrator.migrateToLatest();
    if (error) throw new Error('Migration failed', { cause: error });
    await grantRuntime(db, decodeURIComponent(new URL(options.runtimeUrl).username));
  } finally {
    await db.destroy();
  }
}

/** The migrator's own; the runtime role has no business in them. */
const MIGRATION_TABLES = ['kysely_migration', 'kysely_migration_lock'];

async function grantRuntime(db: Kysely<unknown>, role: string): Promise<void> {
  const runtime = sql.id(role);
  // two replicas granting at once would fail with "tuple concurrently updated"
  await db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(728114)`.execute(tx);
    await sql`grant usage on schema public to ${runtime}`.execute(tx);
    await sql`grant select, insert, update, delete on all tables in schema public to ${runtime}`.execute(
      tx,
    );
    for (const table of MIGRATION_TABLES) {
      await sql`revoke all on ${sql.table(table)} from ${runtime}`.execute(tx);
    }
    await sql`grant usage, select on all sequences in schema public to ${runtime}`.execute(tx);
    await sql`grant execute on all functions in schema public to ${runtime}`.execute(tx);
  });
}
