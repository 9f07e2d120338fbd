import { withWorkspace } from '@manifold/database';
import { removeClaims } from '../../../links/store.ts';
import { advance, publishStep } from '../../progress.ts';
import { findStep, lockRequest, type Step } from '../../store.ts';
import type { SendingDeps } from '../held.ts';
import type { FailureDecision } from '../rules.ts';
import { changeHeldStep, removeTurns } from '../store.ts';

/** Keeps a step for a person that could not even be opened; what a call in doubt sent stays with it. */
export async function parkUnopened(
  deps: SendingDeps,
  step: Step,
  { reason, cause, fix }: Extract<FailureDecision, { decision: 'park' }>,
): Promise<void> {
  const now = deps.now();
  const change = {
    ...{ state: 'parked' as const, effect: 'none' as const, reason, cause, fix },
    ...{ lease_until: null, lease_owner: null, settle_until: null, settled_at: now },
  };
  await withWorkspace(deps.db, step.workspace_id, async (tx) => {
    const request = await lockRequest(tx, step.write_request_id);
    if (!request || !(await changeHeldStep(tx, step, change, 0))) return;
    await removeTurns(tx, step.id);
    await removeClaims(tx, step.id);
    const ended = await findStep(tx, step.id);
    if (ended) await publishStep(tx, { request, step: ended, now });
    await advance(tx, request, now);
  });
}
