import { ChangeSetId } from '@manifold/contracts';
import { createOnce } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import type { Origin } from '@manifold/messaging';
import { findConnection } from '../../accounts/store.ts';
import type { Tx } from '../../store.ts';
import { lockSet } from '../deciding/commands.ts';
import { emptySet } from '../opening/opening.ts';
import { defaultPolicy, railsOf } from '../policy/rules.ts';
import { findWritePolicy } from '../policy/store.ts';
import { tallyChanges } from '../rows/store.ts';
import { type ChangeSet, insertChangeSet, listUndosOf } from '../store.ts';
import { decideUndoable } from '../undoable/rules.ts';

/** Begins a set that takes back what another one has written; it is planned and approved like any other. */
export async function undoChangeSet(
  tx: Tx,
  asked: { id: string; idempotencyKey: string | undefined; asker: Origin },
  now: Date,
): Promise<ChangeSetId> {
  const { asker, idempotencyKey: key } = asked;
  const input = { id: asked.id };
  const parseId = (id: string) => ChangeSetId.parse(id);
  const call = { operation: 'undoChangeSet', key, input, now, parseId };
  const made = await createOnce(tx, { ...call, workspaceId: asker.workspaceId }, async () => {
    const source = await lockSet(tx, asked.id);
    await requireUndoable(tx, source, now);
    const policy = (await findWritePolicy(tx)) ?? defaultPolicy;
    const set = {
      ...emptySet(asker, now),
      connection_id: source.connection_id,
      company_id: source.company_id,
      kind: 'UNDO' as const,
      undoes_id: source.id,
      undo_cursor: '',
      title: `Undo: ${source.title}`.slice(0, 200),
      state: 'planning' as const,
      closed_at: now,
      cause_service: 'connections',
      cause_type: 'ChangeSet',
      cause_id: source.id,
      ...railsOf(undefined, policy),
      image_days: policy.image_days,
    };
    await insertChangeSet(tx, set);
    return set.id;
  });
  return made.id;
}

async function requireUndoable(tx: Tx, source: ChangeSet, now: Date): Promise<void> {
  const decision = decideUndoable(
    source,
    {
      tallies: await tallyChanges(tx, [source.id]),
      undos: await listUndosOf(tx, [source.id]),
      isConnected: (await findConnection(tx, source.connection_id)) !== undefined,
    },
    now,
  );
  if (decision.outcome === 'yes') return;
  const { reason, because, fix } = decision;
  throw new Refusal('precondition', `Change set ${source.id} cannot be undone: ${because}`, {
    reason,
    field: 'input.id',
    fix,
  });
}
