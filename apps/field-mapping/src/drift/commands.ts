import { type ConnectionId, type FieldMappingId, MappingDrifted } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { type Origin, publish } from '@manifold/messaging';
import { refreshCatalogue } from '../catalogue/commands.ts';
import { listCatalogues } from '../catalogue/store.ts';
import { absent, type Deps } from '../mappings/deps.ts';
import { findProblems, isUnchecked, knownObjects } from '../mappings/rules.ts';
import { findMapping, lockMapping, lockMappingsOf, setWorkingCopy } from '../mappings/store.ts';
import { objectsOf } from '../matching/rules.ts';
import type { FieldCatalogue, FieldMapping, MappingVersion, Tx } from '../store.ts';
import { isPublishedAs } from '../versions/rules.ts';
import { findVersion, listNewestVersions } from '../versions/store.ts';
import { applyRepairs, proposeRepair } from './repair/rules.ts';
import { type Drift, findDrift, isSameDrift } from './rules.ts';
import { deleteDrift, insertDrift, listDrift } from './store.ts';

/** Compares every mapping of a connection with its fields as they are now. */
export async function noteDriftOf(
  tx: Tx,
  origin: Origin,
  { connectionId, now }: { connectionId: ConnectionId; now: Date },
): Promise<void> {
  const mappings = await lockMappingsOf(tx, origin.workspaceId, connectionId);
  const [first] = mappings;
  if (first !== undefined) await noteDrift(tx, origin, { mappings, now });
}

/** Compares mappings of one connection with its fields, keeps the difference and tells of a new one. */
export async function noteDrift(
  tx: Tx,
  origin: Origin,
  { mappings, now }: { mappings: readonly FieldMapping[]; now: Date },
): Promise<void> {
  const { workspaceId } = origin;
  const ids = mappings.map(({ id }) => id);
  const catalogues = await listCatalogues(tx, workspaceId, {
    connectionIds: [...new Set(mappings.map((one) => one.connection_id))],
    objects: [...new Set(mappings.flatMap(({ purpose }) => objectsOf(purpose)))],
  });
  const versions = await listNewestVersions(tx, workspaceId, ids);
  const before = await listDrift(tx, workspaceId, ids);
  for (const mapping of mappings) {
    const published = versions.find((version) => version.mapping_id === mapping.id);
    const drift = driftOf(mapping, { published, catalogues });
    const known = before.filter((one) => one.mapping_id === mapping.id);
    if (isSameDrift(known, drift)) continue;
    await keepDrift(tx, origin, { mapping, drift, known, now });
  }
}

/** What has become of a mapping's fields. */
function driftOf(
  mapping: FieldMapping,
  light: { published: MappingVersion | undefined; catalogues: readonly FieldCatalogue[] },
): Drift[] {
  const known = knownObjects(light.catalogues);
  const catalogue = light.catalogues.flatMap(({ fields }) => fields);
  const source = light.published?.source;
  const unusable = (working: Pick<FieldMapping, 'rows' | 'policy'>) =>
    new Set(
      findProblems({ ...working, purpose: mapping.purpose }, catalogue)
        .filter((problem) => !isUnchecked(problem, working.rows, known))
        .flatMap(({ rowId }) => rowId ?? []),
    );
  // a mapping last saved by a release that kept no fields rests on what it published
  const fields = mapping.fields.length > 0 ? mapping.fields : (source?.catalogue ?? []);
  const published = source && {
    rows: source.rows,
    fields: source.catalogue,
    unusable: unusable(source),
  };
  const working = { rows: mapping.rows, fields, unusable: unusable(mapping) };
  return findDrift({ published, working }, { catalogue, known });
}

const MOST_TOLD = 500;

async function keepDrift(
  tx: Tx,
  origin: Origin,
  kept: {
    mapping: FieldMapping;
    drift: readonly Drift[];
    known: Awaited<ReturnType<typeof listDrift>>;
    now: Date;
  },
): Promise<void> {
  const { mapping, drift, known, now } = kept;
  await deleteDrift(tx, origin.workspaceId, mapping.id);
  await insertDrift(
    tx,
    drift.map((one) => ({
      ...one,
      workspace_id: origin.workspaceId,
      mapping_id: mapping.id,
      since:
        known.find(({ row_id, change }) => row_id === one.row_id && change === one.change)?.since ??
        now,
    })),
  );
  await publish(tx, MappingDrifted, {
    origin,
    key: mapping.id,
    payload: {
      mappingId: mapping.id,
      connectionId: mapping.connection_id,
      purpose: mapping.purpose,
      version: mapping.version,
      drift: drift.slice(0, MOST_TOLD).map((one) => ({
        rowId: one.row_id,
        change: one.change,
        quarantined: one.quarantined,
        published: one.published,
      })),
    },
    now,
  });
}

/** Applies what is proposed for some rows, or for all, to the working copy. */
export async function repairMapping(
  deps: Deps,
  caller: Origin,
  wanted: { id: FieldMappingId; rowIds?: readonly string[] | undefined },
): Promise<FieldMappingId> {
  const { workspaceId } = caller;
  const { id, rowIds } = wanted;
  const found = await withWorkspace(deps.db, workspaceId, (tx) => findMapping(tx, workspaceId, id));
  if (!found) throw absent(id);
  const catalogue = await refreshCatalogue(deps, {
    workspaceId,
    connectionId: found.connection_id,
    objects: objectsOf(found.purpose),
  });
  return withWorkspace(deps.db, workspaceId, async (tx) => {
    const now = deps.now();
    const mapping = await lockMapping(tx, workspaceId, id);
    if (!mapping) throw absent(id);
    await noteDrift(tx, caller, { mappings: [mapping], now });
    const drift = await listDrift(tx, workspaceId, [id]);
    const published = await findVersion(tx, workspaceId, { mappingId: id });
    const fields = mapping.fields.length > 0 ? mapping.fields : (published?.source.catalogue ?? []);
    const light = { working: { ...mapping, fields }, catalogue };
    const meant = drift.filter((one) => rowIds === undefined || rowIds.includes(one.row_id));
    const repairs = new Map(
      meant.map((one) => [one.row_id, proposeRepair(one.row_id, drift, light)] as const),
    );
    if (repairs.size === 0) return id;
    const repaired = { policy: mapping.policy, ...applyRepairs(light, repairs) };
    const state = isPublishedAs(repaired, published?.source) ? 'PUBLISHED' : 'DRAFT';
    const { name } = mapping;
    const key = { workspace_id: workspaceId, id, name };
    await setWorkingCopy(tx, { ...key, ...repaired, state, updated_at: now });
    await noteDrift(tx, caller, { mappings: [{ ...mapping, ...repaired, state }], now });
    return id;
  });
}
