import { DataSourceChanged, DescribeConnection, type DataSourceId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { ask, type Origin, publish } from '@manifold/messaging';
import type { NatsConnection } from '@nats-io/transport-node';
import { insertActivities } from '../feed/store.ts';
import type { ActivityKind } from '../feed/tables.ts';
import { refreshMapping } from '../mappings/commands.ts';
import { queueRun } from '../runs/commands.ts';
import { cancelRunOf } from '../runs/ending.ts';
import { findLastSuccess } from '../runs/store.ts';
import { noSource } from '../sources/refusals.ts';
import { readyOf } from '../sources/rules.ts';
import { findSource, lockSource, updateSource } from '../sources/store.ts';
import type { DataSource, Db, Tx } from '../store.ts';
import { settleTracking } from '../tracking/commands.ts';
import { type Act, decideAct } from './rules.ts';

interface Deps {
  db: Db;
  nats: NatsConnection;
  now: () => Date;
}

interface Call {
  origin: Origin;
  dataSourceId: DataSourceId;
}

const words = {
  disconnect: ['disconnected', 'SOURCE_DISCONNECTED'],
  reconnect: ['reconnected', 'SOURCE_RECONNECTED'],
  archive: ['archived', 'SOURCE_ARCHIVED'],
  restore: ['restored', 'SOURCE_RESTORED'],
  delete: ['deleted', 'SOURCE_DELETED'],
} as const satisfies Record<Act, [string, ActivityKind]>;

/** Stops following the connection, or goes on; contacts, accounts and links stay as they are (OR-51). */
export async function changeLife(
  deps: Pick<Deps, 'db' | 'now'>,
  { act, origin, dataSourceId }: Call & { act: Exclude<Act, 'reconnect'> },
): Promise<DataSource> {
  return withWorkspace(deps.db, origin.workspaceId, async (tx) => {
    const source = await lockSource(tx, origin.workspaceId, dataSourceId);
    if (!source) throw noSource(dataSourceId);
    return settle(tx, source, { act, origin, now: deps.now() });
  });
}

/** Follows the connection again, and reads what changed since it was read last (OR-40, OR-42). */
export async function reconnectDataSource(
  deps: Deps,
  { origin, dataSourceId }: Call,
): Promise<DataSource> {
  const { workspaceId } = origin;
  const known = await withWorkspace(deps.db, workspaceId, (tx) =>
    findSource(tx, workspaceId, dataSourceId),
  );
  const ready = known && readyOf(known);
  if (ready?.state === 'DISCONNECTED') {
    const { connection_id: connectionId, mapping_id: mappingId } = ready;
    const { status } = await ask(deps.nats, DescribeConnection, { workspaceId, connectionId });
    if (status !== 'ACTIVE') throw notConnected(connectionId, status);
    await refreshMapping(deps, workspaceId, mappingId);
  }
  const now = deps.now();
  return withWorkspace(deps.db, workspaceId, async (tx) => {
    const source = await lockSource(tx, workspaceId, dataSourceId);
    if (!source) throw noSource(dataSourceId);
    const settled = await settle(tx, source, { act: 'reconnect', origin, now });
    const following = settled === source ? undefined : readyOf(settled);
    const last = following && (await findLastSuccess(tx, workspaceId, dataSourceId));
    if (following && last) await queueRun(tx, { source: following, origin, now });
    return settled;
  });
}

const notConnected = (connectionId: string, status: 'DISABLED' | 'NEEDS_REAUTH'): Refusal =>
  new Refusal('precondition', `The connection ${connectionId} cannot be read`, {
    reason: status === 'DISABLED' ? 'connection_disabled' : 'connection_needs_reauth',
    fix:
      status === 'DISABLED'
        ? 'Enable it with enableConnection.'
        : 'Authorise it again with beginConnection.',
  });

/** The source itself when there is nothing left to do. */
async function settle(
  tx: Tx,
  source: DataSource,
  { act, origin, now }: { act: Act; origin: Origin; now: Date },
): Promise<DataSource> {
  const { workspace_id: workspaceId, id: dataSourceId, connection_id: connectionId } = source;
  const decision = decideAct(act, source.state);
  if (typeof decision !== 'string') {
    const message = `The data source ${dataSourceId} ${decision.because}`;
    throw new Refusal('precondition', message, decision.detail);
  }
  if (decision === source.state) return source;
  if (decision !== 'ACTIVE') await cancelRunOf(tx, source, { origin, now });
  const changes = { state: decision, updated_at: now };
  await updateSource(tx, workspaceId, { id: dataSourceId, changes });
  const [action, kind] = words[act];
  const chosen = connectionId === null ? {} : { connectionId };
  const payload = { dataSourceId, ...chosen, action, changedKeys: ['state'] };
  await publish(tx, DataSourceChanged, { origin, key: dataSourceId, payload, now });
  await insertActivities(tx, { workspaceId, dataSourceId }, [{ kind, at: now }]);
  if (connectionId !== null) await settleTracking(tx, { workspaceId, connectionId });
  return { ...source, ...changes };
}
