import { createHash } from 'node:crypto';
import { type FieldDefinition, type FieldMappingId, MappingPublished } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { type Origin, publish } from '@manifold/messaging';
import { refreshCatalogue } from '../catalogue/commands.ts';
import { absent, type Deps } from '../mappings/commands.ts';
import { canonical, findProblems, refusalOf, sourceOf } from '../mappings/rules.ts';
import { findMapping, lockMapping, setPublished } from '../mappings/store.ts';
import { objectsOf } from '../matching/rules.ts';
import type { FieldMapping, Tx } from '../store.ts';
import { findVersion, insertVersion } from './store.ts';

/** Makes the working copy the newest version; publishing what is published already does nothing. */
export async function publishMapping(
  deps: Deps,
  caller: Origin,
  id: FieldMappingId,
): Promise<FieldMappingId> {
  const { workspaceId } = caller;
  const found = await withWorkspace(deps.db, workspaceId, (tx) => findMapping(tx, workspaceId, id));
  if (!found) throw absent(id);
  const catalogue = await refreshCatalogue(deps, {
    workspaceId,
    connectionId: found.connection_id,
    objects: objectsOf(found.purpose),
  });
  return withWorkspace(deps.db, workspaceId, async (tx) => {
    const mapping = await lockMapping(tx, workspaceId, id);
    if (!mapping) throw absent(id);
    const problems = findProblems(mapping, catalogue);
    if (problems.length > 0) {
      const { rows } = mapping;
      throw refusalOf(problems, { what: 'The mapping cannot be published', rows, field: 'rows' });
    }
    await addVersion(tx, caller, { mapping, catalogue, now: deps.now() });
    return id;
  });
}

async function addVersion(
  tx: Tx,
  caller: Origin,
  { mapping, catalogue, now }: { mapping: FieldMapping; catalogue: FieldDefinition[]; now: Date },
): Promise<void> {
  const { workspaceId } = caller;
  const source = sourceOf(mapping, catalogue);
  const hash = createHash('sha256').update(canonical(source)).digest('hex');
  const newest = await findVersion(tx, workspaceId, { mappingId: mapping.id });
  if (newest?.hash === hash) return;
  const version = (newest?.version ?? 0) + 1;
  await insertVersion(tx, {
    workspace_id: workspaceId,
    mapping_id: mapping.id,
    version,
    hash,
    source: JSON.stringify(source),
    published_at: now,
  });
  await setPublished(tx, { workspace_id: workspaceId, id: mapping.id, version, updated_at: now });
  await publish(tx, MappingPublished, {
    origin: caller,
    key: mapping.id,
    payload: {
      mappingId: mapping.id,
      version,
      connectionId: mapping.connection_id,
      purpose: mapping.purpose,
      hash,
    },
    now,
  });
}
