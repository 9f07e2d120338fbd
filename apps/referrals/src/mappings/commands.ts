import { type FieldMappingId, GetMapping, type WorkspaceId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { ask } from '@manifold/messaging';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Db, NewMappingCopy } from '../store.ts';
import { findMappingCopy } from './store.ts';

/** A published version as a row to keep; the newest when none is named. */
export async function fetchMapping(
  deps: { nats: NatsConnection; now: () => Date },
  wanted: { workspaceId: WorkspaceId; mappingId: FieldMappingId; version?: number },
): Promise<NewMappingCopy> {
  const mapping = await ask(deps.nats, GetMapping, wanted);
  return {
    workspace_id: wanted.workspaceId,
    mapping_id: mapping.mappingId,
    version: mapping.version,
    connection_id: mapping.connectionId,
    purpose: mapping.purpose,
    hash: mapping.hash,
    source: JSON.stringify(mapping.source),
    fetched_at: deps.now(),
  };
}

/** As `fetchMapping`; undefined while field-mapping is away and a copy at hand can serve on. */
export async function fetchNewestMapping(
  deps: { db: Db; nats: NatsConnection; now: () => Date },
  wanted: { workspaceId: WorkspaceId; mappingId: FieldMappingId },
): Promise<NewMappingCopy | undefined> {
  try {
    return await fetchMapping(deps, wanted);
  } catch (error) {
    if (!(error instanceof Refusal && error.kind === 'unavailable')) throw error;
    const { workspaceId, mappingId } = wanted;
    const kept = await withWorkspace(deps.db, workspaceId, (tx) =>
      findMappingCopy(tx, workspaceId, mappingId),
    );
    if (!kept) throw error;
    return undefined;
  }
}
