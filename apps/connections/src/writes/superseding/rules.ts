import type { ReasonCode } from '@manifold/contracts';
import type { StepState } from '../tables.ts';

export type SupersedeDecision =
  | { outcome: 'go' }
  | {
      outcome: 'refuse';
      kind: 'precondition' | 'unavailable';
      reason: ReasonCode;
      because: string;
      fix: string;
    };

/** Whether another request may take the place of one that was just cancelled, and write it all anew. */
export function decideSupersede(
  steps: readonly { state: StepState; sent_at: Date | null }[],
): SupersedeDecision {
  const refuse = { outcome: 'refuse', kind: 'precondition' } as const;
  if (steps.some(({ state }) => ['applied', 'no_change', 'superseded'].includes(state))) {
    return {
      ...refuse,
      reason: 'already_written',
      because: 'part of it is in Pipedrive',
      fix: 'Use the mutation redrive with its parked step.',
    };
  }
  // on its way: soon either written or in doubt
  if (steps.some(({ state }) => ['sending', 'unknown'].includes(state))) {
    return {
      ...refuse,
      kind: 'unavailable',
      reason: 'service_unavailable',
      because: 'it is being written',
      fix: 'Try again in a moment.',
    };
  }
  if (steps.some(({ sent_at }) => sent_at !== null)) {
    return {
      ...refuse,
      reason: 'outcome_unknown',
      because: 'Pipedrive may hold its record',
      fix: 'Look in Pipedrive whether the record is there, then redrive the parked step.',
    };
  }
  return { outcome: 'go' };
}
