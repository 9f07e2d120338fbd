import { ReasonCode } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { findStep, type Step } from '../store.ts';
import { carryOut } from './carry-out.ts';
import { type Held, holdStep, type SendingDeps } from './held.ts';
import { decideUnforeseen, retryDelayMs } from './rules.ts';
import { endStep, postpone, settleLater } from './ending/settle.ts';
import { waitForRecord } from './turns/waiting.ts';
import { parkUnopened } from './ending/unopened.ts';
import { verify } from './doubt/verify.ts';

/** Takes a leased step one stretch further. Never throws: what fails is tried again or parked. */
export async function processStep(deps: SendingDeps, step: Step): Promise<void> {
  let held: Held | undefined;
  try {
    // whoever sent it is gone: it may have been carried out, so never straight to another try
    if (step.state === 'sending') return await settleLater(deps, { step });
    held = await holdStep(deps, step);
    if (held === undefined) return;
    if (held.mustWait) return await waitForRecord(deps, held);
    await (step.state === 'unknown' ? verify(deps, held) : carryOut(deps, held));
  } catch (error) {
    await recover(deps, { step, held, error }).catch((again: unknown) =>
      deps.log.error({ err: again, step: step.id }, 'step left to its lease'),
    );
  }
}

async function recover(
  deps: SendingDeps,
  { step, held, error }: { step: Step; held: Held | undefined; error: unknown },
): Promise<void> {
  const current = await withWorkspace(deps.db, step.workspace_id, (tx) => findStep(tx, step.id));
  // sent, and its end not written down: when the lease runs out it is looked for
  if (current?.state !== 'queued' && current?.state !== 'unknown') return;
  const state = current.state;
  if (error instanceof Refusal) {
    const reason = ReasonCode.catch('pipedrive_unreachable').parse(error.detail.reason);
    const delayMs = retryDelayMs(Math.min(step.attempts + 1, 3));
    return postpone(deps, { step, ...held }, { delayMs, reason, counts: false, state });
  }
  deps.log.error({ err: error, step: step.id }, 'step failed');
  const decision = decideUnforeseen(step.attempts);
  if (decision.decision === 'park') {
    if (held === undefined) return parkUnopened(deps, step, decision);
    const { reason, cause, fix } = decision;
    return endStep(deps, held, { state: 'parked', reason, cause, fix });
  }
  const pause = { delayMs: retryDelayMs(step.attempts), reason: 'handler_failed' } as const;
  await postpone(deps, { ...held, step }, { ...pause, counts: true, state });
}
