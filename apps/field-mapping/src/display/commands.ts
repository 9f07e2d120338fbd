import type { UserId, WorkspaceId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import type { Deps } from '../mappings/deps.ts';
import type { DisplayConfig, Tx } from '../store.ts';
import { listNewestVersions } from '../versions/store.ts';
import { type DisplayField, mappedFields, shownFields, wrongNames } from './rules.ts';
import {
  deleteDisplayConfig,
  findDisplayConfig,
  listPublishedMappings,
  setDisplayConfig,
} from './store.ts';

interface Viewer {
  workspaceId: WorkspaceId;
  userId: UserId;
}

export interface Display {
  object: DisplayConfig['object'];
  chosen: boolean;
  fields: DisplayField[];
  available: DisplayField[];
}

/** What a person sees of a kind of record. */
export async function readDisplay(
  { db }: Pick<Deps, 'db'>,
  { workspaceId, userId }: Viewer,
  object: DisplayConfig['object'],
): Promise<Display> {
  return withWorkspace(db, workspaceId, async (tx) => {
    const available = await listAvailable(tx, workspaceId, object);
    const config = await findDisplayConfig(tx, workspaceId, { userId, object });
    const fields = shownFields(available, config?.fields);
    return { object, chosen: config !== undefined, fields, available };
  });
}

async function listAvailable(
  tx: Tx,
  workspaceId: WorkspaceId,
  object: DisplayConfig['object'],
): Promise<DisplayField[]> {
  const mappings = await listPublishedMappings(tx, workspaceId);
  const versions = await listNewestVersions(
    tx,
    workspaceId,
    mappings.map(({ id }) => id),
  );
  const published = mappings.flatMap(({ id, connection_id }) => {
    const version = versions.find(({ mapping_id }) => mapping_id === id);
    return version ? [{ mappingId: id, connectionId: connection_id, source: version.source }] : [];
  });
  return mappedFields(object, published);
}

/** Keeps what a person wants to see; without fields, everything again. */
export async function chooseDisplay(
  { db, now }: Pick<Deps, 'db' | 'now'>,
  { workspaceId, userId }: Viewer,
  { object, fields }: { object: DisplayConfig['object']; fields?: string[] | undefined },
): Promise<void> {
  await withWorkspace(db, workspaceId, async (tx) => {
    if (fields === undefined) return deleteDisplayConfig(tx, workspaceId, { userId, object });
    const [wrong] = wrongNames(await listAvailable(tx, workspaceId, object), fields);
    if (wrong !== undefined) {
      throw new Refusal('invalid', `${wrong.field} is not mapped, or named twice`, {
        ...{ reason: 'unknown_field', field: `input.fields.${wrong.at}` },
        fix: 'Choose each of DisplayConfig.available at most once.',
      });
    }
    await setDisplayConfig(tx, {
      ...{ workspace_id: workspaceId, user_id: userId, object },
      ...{ fields: JSON.stringify(fields), updated_at: now() },
    });
  });
}
