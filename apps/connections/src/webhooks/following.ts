import { followRecordChange } from '../links/commands.ts';
import type { Tx } from '../store.ts';
import type { Vault } from '../vault/seal.ts';
import { isOwnEcho } from '../writes/echoes/commands.ts';
import { describeChange } from './rules.ts';
import type { HeardChange } from './telling.ts';

/** Hands a change on to links and open writes; true when it is a write of ours coming back. */
export const followChange =
  (vault: Vault) =>
  async (tx: Tx, { connection, event, now }: HeardChange): Promise<boolean> => {
    const { workspace_id: workspaceId, company_id: companyId } = connection;
    const { object, recordId: pipedriveId, record } = event;
    const { action, mergedIntoPipedriveId } = describeChange(event);
    const { previous, mergedFrom } = event;
    const occurredAt = new Date(event.occurredAt);
    const change = { workspaceId, companyId, object, pipedriveId, action, record, previous };
    await followRecordChange(tx, { ...change, mergedIntoPipedriveId }, { vault, now });
    return isOwnEcho(tx, { ...change, mergedFrom, occurredAt }, vault);
  };
