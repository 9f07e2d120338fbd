import { DataSourceChanged, DataSourceCreated, type DataSourceId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { type Origin, publish } from '@manifold/messaging';
import type { NatsConnection } from '@nats-io/transport-node';
import { insertActivities } from '../feed/store.ts';
import { keepMapping } from '../mappings/commands.ts';
import { findMappingCopy } from '../mappings/store.ts';
import { type Choice, checkFit, findParts } from '../sources/parts.ts';
import { noSource } from '../sources/refusals.ts';
import { readyOf } from '../sources/rules.ts';
import { lockSource, updateSource } from '../sources/store.ts';
import type { SetupStep } from '../sources/tables.ts';
import type { DataSource, Db, ReadySource, Tx } from '../store.ts';
import { applyChoice, changedKeysOf, listMissing, type Missing, whyFixed } from './rules.ts';

export interface SourceChanges extends Choice {
  name?: string | undefined;
  step?: SetupStep | undefined;
  retentionDays?: number | undefined;
  requireIdentifier?: boolean | undefined;
}

interface Deps {
  db: Db;
  nats: NatsConnection;
  now: () => Date;
}

/** What is still to be decided before a source can be synced. */
export async function findMissing(tx: Db, source: DataSource): Promise<Missing[]> {
  const { workspace_id: workspaceId, mapping_id: mappingId, mapping_version: version } = source;
  const copy =
    mappingId === null || version === null
      ? undefined
      : await findMappingCopy(tx, workspaceId, { mappingId, version });
  return listMissing(source, copy?.source);
}

/** Renames a source, or decides a step of its setup; Pipedrive is not asked for anything (OR-60). */
export async function updateDataSource(
  deps: Deps,
  call: { origin: Origin; dataSourceId: DataSourceId; changes: SourceChanges },
): Promise<DataSource> {
  const { origin, dataSourceId, changes } = call;
  const { workspaceId } = origin;
  const parts = await findParts(deps.nats, workspaceId, changes);
  const now = deps.now();
  return withWorkspace(deps.db, workspaceId, async (tx) => {
    const source = await lockSource(tx, workspaceId, dataSourceId);
    if (!source) throw noSource(dataSourceId);
    const no = whyFixed(source, changes);
    if (no) throw new Refusal('precondition', `The data source ${dataSourceId} ${no.because}`, no);
    const next = applyChoice(source, { changes, parts });
    checkFit(parts, next.connection_id);
    const changedKeys = changedKeysOf(source, next);
    if (changedKeys.length === 0) return source;
    if (parts.mapping) await keepMapping(tx, workspaceId, { mapping: parts.mapping, now });
    const updated = { ...next, updated_at: now };
    await updateSource(tx, workspaceId, { id: dataSourceId, changes: updated });
    // where somebody left the wizard is nobody's news
    if (changedKeys.every((key) => key === 'step')) return updated;
    const chosen = next.connection_id === null ? {} : { connectionId: next.connection_id };
    const payload = { dataSourceId, ...chosen, action: 'updated' as const, changedKeys };
    await publish(tx, DataSourceChanged, { origin, key: dataSourceId, payload, now });
    await insertActivities(tx, { workspaceId, dataSourceId }, [
      { kind: 'SOURCE_UPDATED', changedKeys, at: now },
    ]);
    return updated;
  });
}

/** Sets a draft up for good, when nothing is missing; changes follow from now on. */
export async function completeDraft(
  tx: Tx,
  source: DataSource,
  { origin, now }: { origin: Origin; now: Date },
): Promise<ReadySource> {
  const { workspace_id: workspaceId, id: dataSourceId } = source;
  const missing = await findMissing(tx, source);
  const ready = readyOf({ ...source, state: 'ACTIVE', step: 'DONE', updated_at: now });
  const [first] = missing;
  if (first !== undefined || !ready) {
    const causes = missing.map(({ field, cause }) => `${field}: ${cause}`).join(' ');
    throw new Refusal('precondition', `The data source ${dataSourceId} is not set up. ${causes}`, {
      reason: 'data_source_incomplete',
      ...(first ? { field: first.field, fix: first.fix } : {}),
    });
  }
  const changes = { state: ready.state, step: ready.step, updated_at: now };
  await updateSource(tx, workspaceId, { id: dataSourceId, changes });
  const payload = { dataSourceId, connectionId: ready.connection_id };
  await publish(tx, DataSourceCreated, { origin, key: dataSourceId, payload, now });
  await insertActivities(tx, { workspaceId, dataSourceId }, [{ kind: 'SOURCE_CREATED', at: now }]);
  return ready;
}
