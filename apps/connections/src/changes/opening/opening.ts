import {
  ChangeSetId,
  type ConnectionId,
  type GuardRails,
  type WriteCause,
} from '@manifold/contracts';
import { createOnce, newId } from '@manifold/database';
import type { Origin } from '@manifold/messaging';
import { requireFound } from '../../accounts/rules.ts';
import { findConnection } from '../../accounts/store.ts';
import type { Tx } from '../../store.ts';
import { columnsOfActor } from '../../writes/askers/rules.ts';
import { defaultPolicy, keptUntil, railsOf } from '../policy/rules.ts';
import { findWritePolicy } from '../policy/store.ts';
import { insertChangeSet } from '../store.ts';

/** A set to be begun. */
export interface Opening {
  connectionId: ConnectionId;
  title: string;
  cause: WriteCause;
  guardRails: GuardRails | undefined;
  idempotencyKey: string | undefined;
}

/** Begins a change set, once per key. */
export async function openChangeSet(
  tx: Tx,
  { opening, asker }: { opening: Opening; asker: Origin },
  now: Date,
): Promise<{ id: ChangeSetId; repeated: boolean }> {
  const { idempotencyKey: key, ...input } = opening;
  const { workspaceId } = asker;
  const parseId = (id: string) => ChangeSetId.parse(id);
  const call = { workspaceId, operation: 'openChangeSet', key, input, now, parseId };
  return createOnce(tx, call, async () => {
    const { connectionId } = opening;
    const connection = requireFound(
      await findConnection(tx, connectionId),
      connectionId,
      'connectionId',
    );
    const policy = (await findWritePolicy(tx)) ?? defaultPolicy;
    const set = {
      ...emptySet(asker, now),
      connection_id: connection.id,
      company_id: connection.company_id,
      title: opening.title,
      cause_service: opening.cause.service,
      cause_type: opening.cause.type,
      cause_id: opening.cause.id,
      ...railsOf(opening.guardRails, policy),
      image_days: policy.image_days,
    };
    await insertChangeSet(tx, set);
    return set.id;
  });
}

/** A set about which nothing is known yet but who wants it. */
export const emptySet = ({ workspaceId, actor, correlationId }: Origin, now: Date) => ({
  workspace_id: workspaceId,
  id: newId('cs', ChangeSetId),
  kind: 'WRITE' as const,
  state: 'open' as const,
  ...columnsOfActor(actor),
  correlation_id: correlationId,
  change_count: 0,
  spent_tokens: 0,
  images_until: keptUntil(now),
  not_before: now,
  fence: 0,
  attempts: 0,
  created_at: now,
});
