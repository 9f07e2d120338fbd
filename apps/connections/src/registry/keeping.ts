import { isRecordId } from './rules.ts';
import { addKeys, timeOf } from './entering.ts';
import { removeKeys } from './keys/store.ts';
import { putKnown } from './records/store.ts';
import { findRegistry } from './store.ts';
import type { Tx } from '../store.ts';
import type { Vault } from '../vault/seal.ts';
import { describeChange } from '../webhooks/rules.ts';
import type { HeardChange } from '../webhooks/telling.ts';

/** Keeps a registry true to what consumers are told, in the same transaction. */
export const registerChange =
  (vault: Vault) =>
  async (tx: Tx, { connection, event }: HeardChange): Promise<void> => {
    const { workspace_id, company_id } = connection;
    const place = { workspace_id, company_id, object: event.object };
    if (!isRecordId(event.recordId)) return;
    const registry = await findRegistry(tx, place);
    if (registry === undefined) return;
    const { revision } = describeChange(event);
    const isGone = event.action === 'delete';
    const updateTime =
      isGone || event.record.updateTime === null
        ? new Date(Math.floor(revision / 1000) * 1000)
        : timeOf(event.record);
    const pipedriveId = event.recordId;
    await putKnown(tx, place, [{ pipedriveId, updateTime, revision, deleted: isGone }]);
    if (isGone) return removeKeys(tx, place, [pipedriveId]);
    await addKeys(tx, vault, { registry, record: event.record });
  };
