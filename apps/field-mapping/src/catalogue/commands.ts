import {
  type ConnectionId,
  type FieldDefinition,
  ListFields,
  type PipedriveObject,
  type WorkspaceId,
} from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { ask } from '@manifold/messaging';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Db, NewFieldCatalogue } from '../store.ts';
import { insertCatalogue, listCatalogues } from './store.ts';

interface Wanted {
  workspaceId: WorkspaceId;
  connectionId: ConnectionId;
  objects: readonly PipedriveObject[];
}

/** Asks connections for the fields of some objects and keeps the answers; falls back on those kept. */
export async function refreshCatalogue(
  deps: { db: Db; nats: NatsConnection; now: () => Date },
  wanted: Wanted,
): Promise<FieldDefinition[]> {
  const { db, nats, now } = deps;
  const { workspaceId, connectionId, objects } = wanted;
  try {
    const answers = await askForCatalogues(nats, wanted, now());
    return await withWorkspace(db, workspaceId, async (tx) => {
      for (const catalogue of answers) await insertCatalogue(tx, catalogue.row);
      return answers.flatMap(({ fields }) => fields);
    });
  } catch (error) {
    if (!(error instanceof Refusal && error.kind === 'unavailable')) throw error;
    const kept = await withWorkspace(db, workspaceId, (tx) =>
      listCatalogues(tx, workspaceId, { connectionIds: [connectionId], objects }),
    );
    if (kept.length < objects.length) throw error;
    return kept.flatMap(({ fields }) => fields);
  }
}

/** The fields of each object now, as rows to keep. */
export async function askForCatalogues(
  nats: NatsConnection,
  { workspaceId, connectionId, objects }: Wanted,
  now: Date,
): Promise<{ fields: FieldDefinition[]; row: NewFieldCatalogue }[]> {
  return Promise.all(
    objects.map(async (object) => {
      const answer = await ask(nats, ListFields, { workspaceId, connectionId, object });
      const row = {
        workspace_id: workspaceId,
        connection_id: connectionId,
        object,
        revision: answer.revision,
        fields: JSON.stringify(answer.fields),
        read_at: now,
      };
      return { fields: answer.fields, row };
    }),
  );
}
