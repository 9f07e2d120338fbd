import type {} from './provided.ts';
import { connectDatabase } from '@manifold/database';
import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { expect, inject } from 'vitest';
import { createCopy, dropCopy } from './template.ts';

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
 * A real, empty, migrated database; databases of the same migrations share two roles. Call `drop` in
 * `afterAll`. Needs the global set-up of the root `vitest.config.ts`.
 */
export async function createTestDatabase<Tables>(
  migrations: Record<string, Migration>,
): Promise<TestDatabase<Tables>> {
  const run = inject('manifoldTestRun');
  const { name, ...urls } = await createCopy(run, { scope: projectOfTest(), migrations });
  const db = connectDatabase<Tables>(urls.appUrl);
  const ownerDb = connectDatabase<Tables>(urls.ownerUrl, { max: 2 });
  const drop = async () => {
    await Promise.all([db.destroy(), ownerDb.destroy()]);
    await dropCopy(run, name);
  };
  return { db, ownerDb, urls, drop };
}

/** `apps/audit` and the like. */
const projectOfTest = (): string =>
  /(apps|libs|tools)\/[^/]+/.exec(expect.getState().testPath ?? '')?.[0] ?? '';
