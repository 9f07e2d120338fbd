import {
  type ConnectionId,
  DataSourceCreated,
  DataSourceId,
  DescribeConnection,
  type FieldMappingId,
  GetMapping,
  type WorkspaceId,
} from '@manifold/contracts';
import { createOnce, newId, withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { ask, type Origin, publish } from '@manifold/messaging';
import type { NatsConnection } from '@nats-io/transport-node';
import { keepMapping } from '../mappings/commands.ts';
import { cancelRunOf, noSource } from '../runs/commands.ts';
import type { DataSource, Db } from '../store.ts';
import { settleTracking } from '../tracking/commands.ts';
import { findSource, insertSource, lockSource, setSourceArchived } from './store.ts';

interface Deps {
  db: Db;
  nats: NatsConnection;
  now: () => Date;
}

export interface NewSource {
  name: string;
  connectionId: ConnectionId;
  mappingId: FieldMappingId;
}

/** Makes a data source of a connection and a published mapping. Changes follow from now on; `startSync` brings what is there. */
export async function createDataSource(
  deps: Deps,
  call: { origin: Origin; input: NewSource; idempotencyKey?: string | undefined },
): Promise<DataSource> {
  const { origin, input } = call;
  const { workspaceId } = origin;
  const { connectionId, mappingId, name } = input;
  const { connection, mapping } = await findParts(deps, workspaceId, input);
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
    const { id } = await createOnce(tx, once, async () => {
      const newSourceId = newId('ds', DataSourceId);
      await keepMapping(tx, workspaceId, { mapping, now });
      await insertSource(tx, {
        workspace_id: workspaceId,
        id: newSourceId,
        name,
        connection_id: connectionId,
        company_url: connection.companyUrl,
        mapping_id: mappingId,
        mapping_version: mapping.version,
        state: 'ACTIVE',
        created_at: now,
        updated_at: now,
      });
      const payload = { dataSourceId: newSourceId, connectionId };
      await publish(tx, DataSourceCreated, { origin, key: newSourceId, payload, now });
      await settleTracking(tx, { workspaceId, connectionId });
      return newSourceId;
    });
    const source = await findSource(tx, workspaceId, id);
    if (!source) throw noSource(id);
    return source;
  });
}

/** The connection and the mapping of a new source, which must fit each other. */
async function findParts(
  { nats }: Deps,
  workspaceId: WorkspaceId,
  { connectionId, mappingId }: NewSource,
) {
  const [connection, mapping] = await Promise.all([
    ask(nats, DescribeConnection, { workspaceId, connectionId }).catch(
      pointingAt('input.connectionId', 'Use an id from the list connections of this workspace.'),
    ),
    ask(nats, GetMapping, { workspaceId, mappingId }).catch(
      pointingAt('input.mappingId', 'Use an id from the list fieldMappings of this workspace.'),
    ),
  ]);
  if (mapping.purpose !== 'CONTACTS_FROM_PIPEDRIVE') {
    throw badMapping('The mapping does not lead from Pipedrive to contacts');
  }
  if (mapping.connectionId !== connectionId)
    throw badMapping('The mapping belongs to another connection');
  return { connection, mapping };
}

/** What another service does not know becomes a matter of our own input. */
const pointingAt =
  (field: string, fix: string) =>
  (error: unknown): never => {
    if (!(error instanceof Refusal) || error.kind !== 'not_found') throw error;
    throw new Refusal('not_found', error.message, { ...error.detail, field, fix });
  };

const badMapping = (message: string): Refusal =>
  new Refusal('invalid', message, {
    reason: 'invalid_input',
    field: 'input.mappingId',
    fix: 'Choose a published mapping of this connection with the purpose CONTACTS_FROM_PIPEDRIVE.',
  });

/** Stops following the connection. Contacts, accounts and links stay as they are (OR-51). */
export async function archiveDataSource(
  deps: Pick<Deps, 'db' | 'now'>,
  call: { origin: Origin; dataSourceId: DataSourceId },
): Promise<DataSource> {
  const { origin, dataSourceId } = call;
  const { workspaceId } = origin;
  const now = deps.now();
  return withWorkspace(deps.db, workspaceId, async (tx) => {
    const source = await lockSource(tx, workspaceId, dataSourceId);
    if (!source) throw noSource(dataSourceId);
    if (source.state === 'ARCHIVED') return source;
    await cancelRunOf(tx, source, { origin, now });
    await setSourceArchived(tx, workspaceId, { id: dataSourceId, now });
    await settleTracking(tx, { workspaceId, connectionId: source.connection_id });
    return { ...source, state: 'ARCHIVED', updated_at: now };
  });
}
