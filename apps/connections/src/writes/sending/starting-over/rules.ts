import type { ReasonCode } from '@manifold/contracts';
import { type FailureDecision, MOST_FAILURES, retryDelayMs } from '../rules.ts';

const MOST_STARTS_OVER = 3;

/** Something a write relied on was gone when it was sent: once more with a new look, but not for ever. */
export function decideStartOver(
  step: { attempts: number; reason: ReasonCode | null },
  reason: 'record_gone' | 'unknown_field',
): Extract<FailureDecision, { decision: 'again' | 'park' }> {
  // tries for other reasons are no sign that this one lasts
  const most = step.reason === reason ? MOST_STARTS_OVER : MOST_FAILURES;
  if (step.attempts < most) {
    return { decision: 'again', delayMs: retryDelayMs(step.attempts), reason, counts: true };
  }
  return {
    decision: 'park',
    reason,
    cause:
      reason === 'record_gone'
        ? 'Pipedrive finds the record when it is read, and not when it is written.'
        : 'Pipedrive refused the field that marks new records each time.',
    fix: 'Look at the record and the field in Pipedrive, then use redrive.',
  };
}
