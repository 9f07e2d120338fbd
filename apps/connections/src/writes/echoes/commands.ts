import type {
  FieldValue,
  PipedriveObject,
  PipedriveRecord,
  WorkspaceId,
} from '@manifold/contracts';
import type { Db } from '../../store.ts';
import type { Vault } from '../../vault/seal.ts';
import { hashFields } from '../hashes/rules.ts';
import { hashOfSent, openHashes } from './hashes.ts';
import { deletedSince, isEchoOf, type ToldChange } from './rules.ts';
import { listSentTo } from './store.ts';

export interface EchoQuestion {
  workspaceId: WorkspaceId;
  companyId: string;
  object: PipedriveObject;
  pipedriveId: string;
  action: ToldChange['action'];
  /** The record after the change, as `normaliseWebhook` gives it. */
  record: Pick<PipedriveRecord, 'fields' | 'updateTime'>;
  previous?: Readonly<Record<string, FieldValue>> | null | undefined;
  /** The record that disappeared into this one by the change. */
  mergedFrom?: string | null | undefined;
  /** When it happened at Pipedrive. */
  occurredAt?: Date | undefined;
}

/** True when a change Pipedrive reports is a write of ours coming back. */
export async function isOwnEcho(tx: Db, change: EchoQuestion, vault: Vault): Promise<boolean> {
  const { updateTime, fields } = change.record;
  const { action, occurredAt } = change;
  const isDelete = action === 'deleted' && occurredAt !== undefined;
  const steps = await listSentTo(tx, {
    ...{ ...change, updateTime },
    deletedSince: isDelete ? deletedSince(occurredAt) : undefined,
  });
  return steps.some((step) =>
    isEchoOf(
      {
        effect: step.sent_effect ?? step.effect,
        written: openHashes(step),
        loserId: step.loser_pipedrive_id,
        isSameTime: updateTime !== null && step.record_update_time === updateTime,
      },
      { ...change, fields },
      (held) => hashFields(held, hashOfSent(vault, step)),
    ),
  );
}
