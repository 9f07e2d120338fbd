import {
  AccountId,
  ConnectionId,
  ContactId,
  DataSourceId,
  FieldMappingId,
  SyncRunId,
  WorkspaceId,
} from '@manifold/contracts';
import { newId } from '@manifold/database';
import { insertActivities } from '../src/feed/store.ts';
import { sourceOf } from './records.ts';
import type { Db, RecordLink } from '../src/store.ts';

const runOf = (workspaceId: WorkspaceId, sourceId: DataSourceId, now: Date) => ({
  ...{ workspace_id: workspaceId, id: newId('sr', SyncRunId), data_source_id: sourceId },
  ...{
    kind: 'INITIAL' as const,
    state: 'WAITING' as const,
    mapping_version: 1,
    updated_since: null,
  },
  ...{
    object: 'person' as const,
    cursor: null,
    counts: '{}',
    done: 0,
    total: null,
    sizes: '{}',
    samples: '[]',
  },
  ...{
    cost_tokens: 0,
    reason: null,
    attempts: 0,
    not_before: new Date(0),
    lease_id: 'mine',
    lease_until: null,
  },
  ...{ actor: JSON.stringify({ kind: 'service', id: 'x' }), correlation_id: 'c' },
  ...{ created_at: now, started_at: null, ended_at: null },
});

const SETTINGS = {
  ...{ name: 'S', company_url: 'https://a.test', mapping_version: 1, state: 'ACTIVE' as const },
  ...{ step: 'DONE' as const, retention_days: 90, require_identifier: false },
};

/** One row of every table, as one workspace owns them. */
export function makeTenant(now: Date) {
  const id = newId('ws', WorkspaceId);
  const [sourceId, mappingId] = [newId('ds', DataSourceId), newId('fm', FieldMappingId)];
  const [connectionId, contactId] = [newId('cn', ConnectionId), newId('ct', ContactId)];
  const [accountId, waitingId] = [newId('ac', AccountId), newId('ct', ContactId)];
  const at = { workspace_id: id, created_at: now, updated_at: now };
  const named = { name: 'N', name_sort: 'n', values: '{}', origins: '{}' };
  const contact = {
    ...{ ...at, ...named, id: contactId, email: 'a@b.c', phone: '', account_id: null },
    ...{ added_by: sourceId, subscriptions: '{}' },
  };
  const link: RecordLink = {
    ...{
      workspace_id: id,
      data_source_id: sourceId,
      connection_id: connectionId,
      object: 'person',
    },
    ...{ pipedrive_id: '1', entity_id: contactId, update_time: now, webhook_ms: null },
    ...{ mapping_version: 1, awaited_organization: null, deleted_at: null },
  };
  return {
    id,
    source: {
      ...at,
      ...SETTINGS,
      id: sourceId,
      connection_id: connectionId,
      mapping_id: mappingId,
    },
    copy: {
      ...{ workspace_id: id, mapping_id: mappingId, version: 1, hash: 'h', fetched_at: now },
      source: JSON.stringify(sourceOf()),
    },
    run: runOf(id, sourceId, now),
    account: { ...at, ...named, id: accountId },
    contact,
    waiting: { ...contact, id: waitingId, email: '' },
    person: link,
    organization: {
      ...link,
      object: 'organization' as const,
      pipedrive_id: '5',
      entity_id: accountId,
    },
    waiter: { ...link, pipedrive_id: '3', entity_id: waitingId, awaited_organization: '6' },
  };
}

/** One entry in the feed of a tenant's source, about a run. */
export const fillFeed = (tx: Db, { id, source, run }: ReturnType<typeof makeTenant>, at: Date) =>
  insertActivities(tx, { workspaceId: id, dataSourceId: source.id }, [
    { kind: 'RECORD_SKIPPED', syncRunId: run.id, reason: 'no_identifier', at },
  ]);

const TABLES = [
  'data_source',
  'mapping_copy',
  'sync_run',
  'contact',
  'account',
  'record_link',
  'source_activity',
] as const;

/** Every row of a workspace that the transaction sees, as text and in order. */
export async function everythingIn(tx: Db, workspaceId: WorkspaceId): Promise<string[][]> {
  const all: string[][] = [];
  for (const table of TABLES) {
    const rows = await tx
      .selectFrom(table)
      .selectAll()
      .where('workspace_id', '=', workspaceId)
      .execute();
    all.push(rows.map((row) => JSON.stringify(row)).toSorted());
  }
  return all;
}
