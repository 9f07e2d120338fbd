import { withWorkspace } from '@manifold/database';
import { setLinksGone } from '../../../links/store.ts';
import type { StepEffect } from '../../tables.ts';
import type { Held, SendingDeps } from '../held.ts';
import { endStep } from '../ending/settle.ts';
import { startOver } from '../starting-over/start-over.ts';

/** Somebody deleted the record between our reading and our writing: start over without it. */
export async function forgetRecord(
  deps: SendingDeps,
  held: Held,
  sending: { effect: StepEffect; targetId?: string },
): Promise<void> {
  const { step } = held;
  if (sending.effect === 'deleted') {
    return endStep(deps, held, { state: 'no_change', reason: 'record_gone' });
  }
  // which of the two of a merge is gone shows when both are read again
  if (sending.effect !== 'merged') {
    const record = {
      companyId: step.company_id,
      object: step.object,
      pipedriveId: sending.targetId ?? '',
    };
    await withWorkspace(deps.db, step.workspace_id, (tx) => setLinksGone(tx, record, deps.now()));
  }
  await startOver(deps, held, 'record_gone');
}
