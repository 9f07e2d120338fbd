import type { ConnectionId, FieldMappingId, WorkspaceId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import type { NatsConnection } from '@nats-io/transport-node';
import { decideLaunch } from '../campaigns/rules.ts';
import type { Db, MappingCopy, NewMappingCopy } from '../store.ts';
import { fetchMapping } from './commands.ts';
import { findMappingCopy } from './store.ts';

/** Refuses a mapping that is not there or serves something else; one not published yet may be chosen. */
export async function checkMapping(
  deps: { db: Db; nats: NatsConnection; now: () => Date },
  workspaceId: WorkspaceId,
  chosen: { connectionId: ConnectionId; mappingId: FieldMappingId },
): Promise<void> {
  const { connectionId: connection_id, mappingId: mapping_id } = chosen;
  const mapping = await findChosen(deps, workspaceId, mapping_id);
  if (!mapping) return;
  const decision = decideLaunch({ connection_id, mapping_id }, mapping);
  if (decision.outcome === 'open') return;
  const { because, reason, fix } = decision;
  throw new Refusal('precondition', `Field mapping ${mapping_id} cannot be chosen: ${because}`, {
    reason,
    field: 'input.mappingId',
    fix,
  });
}

/** As kept here, else as field-mapping knows it; undefined while it is not published. */
async function findChosen(
  deps: { db: Db; nats: NatsConnection; now: () => Date },
  workspaceId: WorkspaceId,
  mappingId: FieldMappingId,
): Promise<Pick<MappingCopy | NewMappingCopy, 'purpose' | 'connection_id'> | undefined> {
  const kept = await withWorkspace(deps.db, workspaceId, (tx) =>
    findMappingCopy(tx, workspaceId, mappingId),
  );
  if (kept) return kept;
  try {
    return await fetchMapping(deps, { workspaceId, mappingId });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.detail.reason === 'mapping_not_published') return undefined;
    if (error.kind !== 'not_found') throw error;
    throw new Refusal('not_found', `There is no field mapping ${mappingId}`, {
      reason: 'record_not_found',
      field: 'input.mappingId',
      fix: 'Choose one of the mappings the query fieldMappings lists.',
    });
  }
}
