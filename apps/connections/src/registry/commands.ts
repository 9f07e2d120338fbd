import type { ConnectionId, PipedriveObject } from '@manifold/contracts';
import { createOnce, withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { listConnectionsByIds, listOrganizationConnections } from '../accounts/store.ts';
import type { Connection } from '../accounts/tables.ts';
import { requireKnownFields } from '../fields/codes/rules.ts';
import { findFields } from '../fields/store.ts';
import type { Db, Tx } from '../store.ts';
import { removeRecords } from './forgetting/store.ts';
import {
  chooseReader,
  fieldOf,
  isTrackable,
  type KeyKind,
  keyName,
  listReaders,
  seesAsMuch,
  sightOf,
  UNBUILT,
} from './rules.ts';
import { listNeeds, putNeed, removeNeed, removeOrphanedNeeds } from './needs/store.ts';
import {
  findRegistry,
  insertRegistry,
  lockRegistry,
  removeRegistry,
  setRegistry,
} from './store.ts';
import type { RecordRegistry, RegistryPlace } from './tables.ts';

export interface RegistryDeps {
  db: Db;
  now: () => Date;
  verifyEveryMs: number;
}

export interface Wanted {
  connection: Connection;
  object: PipedriveObject;
  keys: readonly KeyKind[];
  /** Who needs it; each keeps it alive on its own. */
  feature: string;
}

/** Has the records of an object tracked, and found by these keys, for as long as the feature needs it. */
export async function requireRegistry(
  tx: Tx,
  { connection, object, keys, feature }: Wanted,
  { now, verifyEveryMs }: { now: Date; verifyEveryMs: number },
): Promise<RecordRegistry> {
  if (!isTrackable(object)) {
    throw new Refusal('invalid', `Records of the kind ${object} cannot be tracked`, {
      reason: 'invalid_input',
      field: 'input.object',
      fix: 'Users have no list of their own here; track another kind of record.',
    });
  }
  const { workspace_id, company_id, id: connection_id } = connection;
  const place = { workspace_id, company_id, object };
  const verify_at = new Date(now.getTime() + verifyEveryMs);
  await insertRegistry(tx, { ...place, connection_id, now, verify_at });
  await lockRegistry(tx, place);
  const names = [...new Set(keys.map(keyName))];
  await putNeed(tx, { ...place, connection_id, feature, keys: names, created_at: now });
  await setRegistry(tx, place, { due_at: now });
  const registry = await settleNeeds(tx, place);
  if (registry === undefined) throw new Error(`What ${feature} needs was not kept`);
  return registry;
}

/** As `requireRegistry`, once per key. */
export async function requireOnce(
  tx: Tx,
  wanted: Wanted,
  by: { now: Date; verifyEveryMs: number; idempotencyKey: string | undefined },
): Promise<RecordRegistry> {
  const { connection, object, keys, feature } = wanted;
  const { workspace_id, company_id } = connection;
  const { now, idempotencyKey: key } = by;
  const input = { connectionId: connection.id, object, keys: keys.map(keyName), feature };
  const operation = 'trackRecords';
  const call = { workspaceId: workspace_id, operation, key, input, now, parseId: String };
  await createOnce(tx, call, async () => {
    await requireRegistry(tx, wanted, by);
    await requireKeyFields(tx, wanted);
    return object;
  });
  const registry = await findRegistry(tx, { workspace_id, company_id, object });
  if (registry !== undefined) return registry;
  throw new Refusal('precondition', `Records of the kind ${object} are no longer tracked`, {
    reason: 'not_tracked',
    field: 'input.idempotencyKey',
    fix: 'Use a new key to track them again.',
  });
}

/** A key no record can have would make every record look absent. */
async function requireKeyFields(tx: Tx, { connection, object, keys }: Wanted): Promise<void> {
  const definitions = await findFields(tx, connection.id, object);
  const named = keys.map((key, index) => ({
    code: fieldOf(key),
    path: key.field === undefined ? `input.keys.${index}` : `input.keys.${index}.field`,
  }));
  requireKnownFields(definitions, object, named);
}

/** The feature needs it no longer. With the last one everything kept of the object goes. */
export async function releaseRegistry(
  tx: Tx,
  { connection, object, feature }: Omit<Wanted, 'keys'>,
  now: Date,
): Promise<boolean> {
  const { workspace_id, company_id, id: connection_id } = connection;
  const place = { workspace_id, company_id, object };
  await lockRegistry(tx, place);
  if (!(await removeNeed(tx, { ...place, connection_id, feature }))) return false;
  await setRegistry(tx, place, { due_at: now });
  return true;
}

/**
 * Brings a registry in line with who needs it now; undefined when nobody does. Whoever sees less than
 * it was built with does not read for it; when nobody is left who sees as much, it is built anew.
 */
export async function settleNeeds(
  tx: Tx,
  place: RegistryPlace,
): Promise<RecordRegistry | undefined> {
  const registry = await lockRegistry(tx, place);
  if (registry === undefined) return undefined;
  await removeOrphanedNeeds(tx, place);
  const { workspace_id: workspaceId, company_id: companyId, object } = place;
  const needs = await listNeeds(tx, { workspaceId, companyId, object });
  const ids: ConnectionId[] = needs.map(({ connection_id }) => connection_id);
  if (ids.length === 0) {
    // before anything of it goes, so that nothing is taken for absent
    await setRegistry(tx, place, { ...UNBUILT, releasing: true });
    return undefined;
  }
  const readers = listReaders([
    ...(await listOrganizationConnections(tx, [companyId])),
    ...(await listConnectionsByIds(tx, [...new Set(ids)])),
  ]);
  const able = readers.filter((one) => seesAsMuch(sightOf(one), registry.sight));
  const isLost = able.length === 0 && readers.length > 0;
  const reader = chooseReader(isLost ? readers : able);
  const wanted_keys = [...new Set(needs.flatMap(({ keys }) => keys))].toSorted();
  await setRegistry(tx, place, {
    connection_id: reader?.id ?? registry.connection_id,
    wanted_keys,
    keys: registry.keys.filter((name) => wanted_keys.includes(name)),
    ...(isLost ? { ...UNBUILT, releasing: true } : {}),
  });
  return findRegistry(tx, place);
}

const ROWS_AT_ONCE = 10_000;

/**
 * Removes what was kept of an object, a bounded number of rows at a time, to the end: who needs it
 * again meanwhile has it read anew, so that nothing old is left among the new.
 */
export async function releaseRecords(
  db: Db,
  place: RegistryPlace,
): Promise<{ next: 'rest' | 'more' }> {
  return withWorkspace(db, place.workspace_id, async (tx) => {
    const registry = await lockRegistry(tx, place);
    if (registry?.releasing !== true) return { next: 'rest' };
    if ((await removeRecords(tx, place, ROWS_AT_ONCE)) > 0) return { next: 'more' };
    const { workspace_id: workspaceId, company_id: companyId, object } = place;
    if ((await listNeeds(tx, { workspaceId, companyId, object })).length > 0) {
      await setRegistry(tx, place, { ...UNBUILT, releasing: false });
      return { next: 'more' };
    }
    await removeRegistry(tx, place);
    return { next: 'rest' };
  });
}
