import { ChangeSetId } from '@manifold/contracts';
import { createOnce } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import type { Origin } from '@manifold/messaging';
import type { Tx } from '../store.ts';
import { lockSet } from './commands.ts';
import { emptySet } from './opening.ts';
import { defaultPolicy, railsOf } from './policy/rules.ts';
import { findWritePolicy } from './policy/store.ts';
import { hasEnded } from './rules.ts';
import { type ChangeSet, insertChangeSet, listUndosOf } from './store.ts';

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
  const refuse = (message: string, fix: string, reason = 'change_set_not_ready') =>
    new Refusal('precondition', message, { reason, field: 'input.id', fix });
  if (!hasEnded(source.state) || source.ended_at === null) {
    throw refuse(
      `Change set ${source.id} has not ended`,
      'Cancel it, or wait until it is done; then undo it.',
    );
  }
  if (source.images_until === null || source.images_until <= now) {
    throw refuse(
      `The values before change set ${source.id} are no longer kept`,
      'Keep them for longer with the mutation setWritePolicy, for change sets to come.',
      'undo_not_available',
    );
  }
  const undos = await listUndosOf(tx, [source.id]);
  const active = undos.find(({ state }) => !['cancelled', 'failed', 'done'].includes(state));
  if (active === undefined) return;
  throw refuse(
    `Change set ${active.id} is undoing this one`,
    `Go on with ${active.id}, or cancel it first.`,
  );
}
