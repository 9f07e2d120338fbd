import { DataSourceChanged, DataSourceCreated, DataSourceId } from '@manifold/contracts';
import { createOnce, newId, withWorkspace } from '@manifold/database';
import { type Origin, publish } from '@manifold/messaging';
import type { NatsConnection } from '@nats-io/transport-node';
import { insertActivities } from '../feed/store.ts';
import { keepMapping } from '../mappings/commands.ts';
import type { DataSource, Db, Tx } from '../store.ts';
import { settleTracking } from '../tracking/commands.ts';
import { type Choice, checkFit, findParts, type Parts } from './parts.ts';
import { noSource } from './refusals.ts';
import { findSource, insertSource } from './store.ts';

interface Deps {
  db: Db;
  nats: NatsConnection;
  now: () => Date;
}

export interface NewSource extends Choice {
  name: string;
  requireIdentifier?: boolean | undefined;
}

/**
 * Makes a data source. With a connection and a published mapping changes follow from now on, and
 * `startSync` brings what is there; without one of them it is a draft, which `updateDataSource` completes.
 */
export async function createDataSource(
  deps: Deps,
  call: { origin: Origin; input: NewSource; idempotencyKey?: string | undefined },
): Promise<DataSource> {
  const { origin, input } = call;
  const { workspaceId } = origin;
  const parts = await findParts(deps.nats, workspaceId, input);
  checkFit(parts, input.connectionId ?? null);
  const now = deps.now();
  return withWorkspace(deps.db, workspaceId, async (tx) => {
    const once = {
      workspaceId,
      operation: 'createDataSource',
      key: call.idempotencyKey,
      input,
      now,
      parseId: (text: string) => DataSourceId.parse(text),
    };
    const { id } = await createOnce(tx, once, () => addSource(tx, { origin, input, parts, now }));
    const source = await findSource(tx, workspaceId, id);
    if (!source) throw noSource(id);
    return source;
  });
}

async function addSource(
  tx: Tx,
  { origin, input, parts, now }: { origin: Origin; input: NewSource; parts: Parts; now: Date },
): Promise<DataSourceId> {
  const { workspaceId } = origin;
  const { connection, mapping } = parts;
  const isDraft = connection === undefined || mapping === undefined;
  const id = newId('ds', DataSourceId);
  if (mapping) await keepMapping(tx, workspaceId, { mapping, now });
  await insertSource(tx, {
    workspace_id: workspaceId,
    id,
    name: input.name,
    connection_id: connection?.connectionId ?? null,
    company_url: connection?.companyUrl ?? null,
    mapping_id: mapping?.mappingId ?? null,
    mapping_version: mapping?.version ?? null,
    state: isDraft ? 'DRAFT' : 'ACTIVE',
    step: isDraft ? firstStep(parts) : 'DONE',
    retention_days: 90,
    require_identifier: input.requireIdentifier ?? false,
    created_at: now,
    updated_at: now,
  });
  if (isDraft) {
    const chosen = connection === undefined ? {} : { connectionId: connection.connectionId };
    const payload = { dataSourceId: id, ...chosen, action: 'drafted' as const, changedKeys: [] };
    await publish(tx, DataSourceChanged, { origin, key: id, payload, now });
  } else {
    const { connectionId } = connection;
    const payload = { dataSourceId: id, connectionId };
    await publish(tx, DataSourceCreated, { origin, key: id, payload, now });
    await insertActivities(tx, { workspaceId, dataSourceId: id }, [
      { kind: 'SOURCE_CREATED', at: now },
    ]);
    await settleTracking(tx, { workspaceId, connectionId });
  }
  return id;
}

const firstStep = ({ connection }: Parts) => (connection === undefined ? 'CONNECT' : 'FIELDS');
