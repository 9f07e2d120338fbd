import type { Held, SendingDeps } from '../held.ts';
import { decideStartOver } from './rules.ts';
import { endStep, postpone } from '../ending/settle.ts';

/** Tries a step again from the start, later each time, until that is for a person. */
export async function startOver(
  deps: SendingDeps,
  held: Held,
  why: 'record_gone' | 'unknown_field',
): Promise<void> {
  const decision = decideStartOver(held.step, why);
  if (decision.decision === 'again') return postpone(deps, held, { ...decision, state: 'queued' });
  const { reason, cause, fix } = decision;
  await endStep(deps, held, { state: 'parked', reason, cause, fix });
}
