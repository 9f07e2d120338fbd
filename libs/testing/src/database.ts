import type {} from './provided.ts';
import { randomBytes } from 'node:crypto';
import { connectDatabase, migrateToLatest } from '@manifold/database';
import { createDatabase, dropDatabase } from '@manifold/infrastructure';
import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { inject } from 'vitest';

/** A database of one test file, and both ways into it. */
export type TestDatabase<Tables> = {
  /** As the service: bound by row-level security, no DDL. */
  db: Kysely<Tables>;
  /** As the owner of the tables: for looking behind the service's back. */
  ownerDb: Kysely<Tables>;
  urls: { ownerUrl: string; appUrl: string };
  drop: () => Promise<void>;
};

/**
 * A real, empty, migrated database with roles of its own. Call `drop` in `afterAll`.
 * Needs the global set-up of the root `vitest.config.ts`.
 */
export async function createTestDatabase<Tables>(
  migrations: Record<string, Migration>,
): Promise<TestDatabase<Tables>> {
  const postgres = { url: inject('manifoldPostgresUrl') };
  const name = `test_${randomBytes(6).toString('hex')}`;
  const database = { name, ownerRole: `${name}_owner`, appRole: `${name}_app` };
  const urls = await createDatabase(postgres, database);
  await migrateToLatest({ ownerUrl: urls.ownerUrl, runtimeUrl: urls.appUrl, migrations });

  const db = connectDatabase<Tables>(urls.appUrl);
  const ownerDb = connectDatabase<Tables>(urls.ownerUrl, { max: 2 });
  const drop = async () => {
    await Promise.all([db.destroy(), ownerDb.destroy()]);
    await dropDatabase(postgres, database);
  };
  return { db, ownerDb, urls, drop };
}
