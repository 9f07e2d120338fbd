import { WorkspaceId } from '@manifold/contracts';
import { migrateToLatest, newId, withWorkspace } from '@manifold/database';
import { createTestDatabase } from '@manifold/testing';
import { sql } from 'kysely';
import { expect, onTestFinished, test } from 'vitest';
import type { Tables } from '../store.ts';
import { migrations } from './index.ts';

test('contacts that were here belong to their oldest source, and nobody was asked about them', async () => {
  const earlier = Object.entries(migrations).filter(([name]) => name < '0010-source-life');
  const database = await createTestDatabase<Tables>(Object.fromEntries(earlier));
  onTestFinished(database.drop);
  const { ownerUrl, appUrl: runtimeUrl } = database.urls;
  const workspaceId = newId('ws', WorkspaceId);
  await withWorkspace(database.db, workspaceId, async (tx) => {
    await sql`insert into contact select ${workspaceId}, id, '', '', '', '', null, '{}', '{}', now(), now()
      from unnest(array['ct_1', 'ct_2']) id`.execute(tx);
    for (const source of ['ds_2', 'ds_1']) {
      await sql`insert into record_link (workspace_id, data_source_id, connection_id, object,
          pipedrive_id, entity_id, mapping_version)
        values (${workspaceId}, ${source}, 'cn_1', 'person', '1', 'ct_1', 1)`.execute(tx);
    }
    await sql`insert into data_source values (${workspaceId}, 'ds_1', 'Sales', 'cn_1',
      'https://acme.pipedrive.com', 'fm_1', 1, 'ARCHIVED', now(), now())`.execute(tx);
  });

  await migrateToLatest({ ownerUrl, runtimeUrl, migrations });

  const kept = await withWorkspace(database.db, workspaceId, async (tx) => ({
    contacts: await tx
      .selectFrom('contact')
      .select(['id', 'added_by', 'subscriptions'])
      .orderBy('id')
      .execute(),
    sources: await tx
      .selectFrom('data_source')
      .select(['state', 'step', 'retention_days', 'require_identifier'])
      .execute(),
  }));
  expect(kept).toEqual({
    contacts: [
      { id: 'ct_1', added_by: 'ds_1', subscriptions: {} },
      { id: 'ct_2', added_by: null, subscriptions: {} },
    ],
    sources: [{ state: 'ARCHIVED', step: 'DONE', retention_days: 90, require_identifier: false }],
  });
});
