import { createHash } from 'node:crypto';
import { type FieldDefinition, type FieldMappingId, MappingPublished } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { type Origin, publish } from '@manifold/messaging';
import { refreshCatalogue } from '../catalogue/commands.ts';
import { noteDrift } from '../drift/commands.ts';
import { absent, type Deps } from '../mappings/deps.ts';
import { findProblems, refusalOf, sourceOf } from '../mappings/rules.ts';
import { findMapping, lockMapping, setPublished, setWorkingCopy } from '../mappings/store.ts';
import { objectsOf } from '../matching/rules.ts';
import type { FieldMapping, Tx } from '../store.ts';
import { canonical, isPublishedAs } from './rules.ts';
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
  const fields = source.catalogue;
  const row = { workspace_id: workspaceId, id: mapping.id, version, fields, updated_at: now };
  await setPublished(tx, row);
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
  await noteDrift(tx, caller, { mappings: [{ ...mapping, ...row, state: 'PUBLISHED' }], now });
}

/** The working copy becomes what a version holds; without a version, the newest: a draft is dropped. */
export async function revertMapping(
  deps: Deps,
  caller: Origin,
  { id, version }: { id: FieldMappingId; version?: number | undefined },
): Promise<FieldMappingId> {
  const { workspaceId } = caller;
  return withWorkspace(deps.db, workspaceId, async (tx) => {
    const now = deps.now();
    const mapping = await lockMapping(tx, workspaceId, id);
    if (!mapping) throw absent(id);
    const newest = await findVersion(tx, workspaceId, { mappingId: id });
    const wanted = await findVersion(tx, workspaceId, { mappingId: id, version });
    if (!newest || !wanted) throw noVersion(id, version);
    const { rows, policy, catalogue } = wanted.source;
    const reverted = {
      ...{ rows, policy, fields: catalogue, updated_at: now },
      state: isPublishedAs({ rows, policy }, newest.source)
        ? ('PUBLISHED' as const)
        : ('DRAFT' as const),
    };
    await setWorkingCopy(tx, { workspace_id: workspaceId, id, name: mapping.name, ...reverted });
    await noteDrift(tx, caller, { mappings: [{ ...mapping, ...reverted }], now });
    return id;
  });
}

/** A number nobody published, or a mapping nobody did. */
export const noVersion = (id: string, version: number | undefined): Refusal =>
  version === undefined
    ? new Refusal('precondition', `Field mapping ${id} is not published`, {
        ...{ reason: 'mapping_not_published', field: 'input.id' },
        fix: 'Publish it first with the mutation publishFieldMapping.',
      })
    : new Refusal('not_found', `Field mapping ${id} has no version ${version}`, {
        ...{ reason: 'record_not_found', field: 'input.version' },
        fix: 'Choose one of FieldMapping.versions.',
      });
