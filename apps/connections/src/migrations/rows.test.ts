import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { WorkspaceId } from '@manifold/contracts';
import { migrateToLatest, newId, withWorkspace } from '@manifold/database';
import { createTestDatabase } from '@manifold/testing';
import { sql } from 'kysely';
import { expect, onTestFinished, test } from 'vitest';
import type { Tables } from '../store.ts';
import { migrations } from './index.ts';

/** A database as it was before a migration, which `migrate` then runs with all later ones. */
async function startBefore(name: string) {
  const earlier = Object.entries(migrations).filter(([one]) => one < name);
  const database = await createTestDatabase<Tables>(Object.fromEntries(earlier));
  onTestFinished(database.drop);
  const { ownerUrl, appUrl: runtimeUrl } = database.urls;
  return { db: database.db, migrate: () => migrateToLatest({ ownerUrl, runtimeUrl, migrations }) };
}

test('comparisons that were reading get the time they read as of', async () => {
  const { db, migrate } = await startBefore('0076-certificate-as-of');
  const workspaceId = newId('ws', WorkspaceId);
  const startedAt = new Date('2026-03-01T10:00:00Z');
  await withWorkspace(db, workspaceId, async (tx) => {
    for (const [id, isRead] of [
      ['cc_read', true],
      ['cc_new', false],
    ] as const) {
      await sql`insert into completeness_certificate (workspace_id, id, connection_id, company_id,
          object, state, is_baseline, repairs, keys, last_id, is_read, pipedrive_count,
          pipedrive_hash, missing, stale, extra, hidden, repaired, cost_tokens, actor_kind, actor_id,
          correlation_id, started_at)
        values (${workspaceId}, ${id}, 'cn_1', '1', ${id}, 'CHECKING', false, false, '{}', 0,
          ${isRead}, 0, '', 0, 0, 0, 0, 0, 0, 'service', 'test', 'c', ${startedAt})`.execute(tx);
    }
  });

  await migrate();

  const kept = await withWorkspace(db, workspaceId, (tx) =>
    tx.selectFrom('completeness_certificate').select(['id', 'as_of']).orderBy('id').execute(),
  );
  expect(kept).toEqual([
    { id: 'cc_new', as_of: null },
    { id: 'cc_read', as_of: startedAt },
  ]);
});

const files = readdirSync(import.meta.dirname).filter((file) => /^\d{4}-.*\.ts$/.test(file));
const sources = files.map((file) => [
  file,
  readFileSync(join(import.meta.dirname, file), 'utf8'),
]) as [string, string][];
const changing = sources.filter(([, text]) => /`\s*(update|delete from|insert into)\s/i.test(text));

test('there are migrations that change rows', () => {
  expect(changing.length).toBeGreaterThan(3);
});

// row-level security holds for the owner too: without a scope a migration reaches no row
test.each(changing)('%s changes rows of every workspace', (_, text) => {
  const [first = ''] = text.split(/`\s*(?:update|delete from|insert into)\s/i);
  expect(first).toContain("set_config('manifold.workspace', '*', true)");
});
