import type { PipedriveRecord } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { isCustomCode } from '@manifold/pipedrive';
import { findFields } from '../fields/store.ts';
import type { Db } from '../store.ts';
import type { Vault } from '../vault/seal.ts';
import { keyText } from '../writes/identity/rules.ts';
import { putKeys } from './keys/store.ts';
import { markIndexed } from './records/store.ts';
import { fieldOf, isRecordId, keysOf, readKeyName } from './rules.ts';
import { lockRegistry } from './store.ts';
import type { RecordRegistry, RegistryPlace } from './tables.ts';

/** Hash of a key as the keys of steps are hashed: no key leaves a workspace. */
export const hashOfKey = (
  vault: Vault,
  { workspace_id, object }: RegistryPlace,
  key: Parameters<typeof keyText>[1],
): string => vault.keyedHash(`identity|${workspace_id}`, keyText(object, key));

/**
 * Enters the keys of records as they were read: what a record no longer has goes. False, and nothing
 * is entered, when other keys are wanted by now than were read, or the index is no longer the same.
 */
export async function enterKeys(
  tx: Db,
  vault: Vault,
  entered: { registry: RecordRegistry; records: readonly PipedriveRecord[] },
): Promise<boolean> {
  const { registry } = entered;
  const current = await lockRegistry(tx, registry);
  if (current?.wanted_keys.join() !== registry.wanted_keys.join()) return false;
  const wasEmptied = registry.certified_until !== null && current.certified_until === null;
  if (wasEmptied || current.releasing) return false;
  const records = entered.records.filter(({ id }) => isRecordId(id));
  if (registry.wanted_keys.length === 0 || records.length === 0) return true;
  const replaced = new Set(
    await markIndexed(
      tx,
      registry,
      records.map((record) => ({ pipedriveId: record.id, at: timeOf(record) })),
    ),
  );
  const keys = records
    .filter(({ id }) => replaced.has(id))
    .flatMap((record) => hashesOf(vault, registry, record));
  await putKeys(tx, registry, { keys, replaced: [...replaced] });
  return true;
}

/** Adds the keys a webhook shows, for records the index has not read since; nothing is taken away. */
export async function addKeys(
  tx: Db,
  vault: Vault,
  { registry, record }: { registry: RecordRegistry; record: PipedriveRecord },
): Promise<void> {
  const until = registry.certified_until;
  if (until !== null && timeOf(record) < until) return;
  await putKeys(tx, registry, { keys: hashesOf(vault, registry, record), replaced: [] });
}

const hashesOf = (vault: Vault, registry: RecordRegistry, record: PipedriveRecord) =>
  keysOf(record, registry.wanted_keys).map((key) => ({
    hash: hashOfKey(vault, registry, key),
    pipedriveId: record.id,
  }));

export const timeOf = ({ updateTime, addTime }: PipedriveRecord): Date =>
  new Date(updateTime ?? addTime ?? 0);

/** What a list has to bring so that the keys are in it, and no more custom fields than that. */
export async function keyFields(db: Db, registry: RecordRegistry) {
  const { workspace_id, connection_id, object, wanted_keys } = registry;
  const definitions = await withWorkspace(db, workspace_id, (tx) =>
    findFields(tx, connection_id, object),
  );
  const codes = wanted_keys.map((name) => fieldOf(readKeyName(name)));
  return { definitions, customFields: codes.filter(isCustomCode) };
}
