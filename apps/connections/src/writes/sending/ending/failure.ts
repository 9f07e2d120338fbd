import type { Failure } from '@manifold/pipedrive';
import type { StepEffect } from '../../tables.ts';
import type { Held, SendingDeps } from '../held.ts';
import { decideFailure } from '../rules.ts';
import { endStep, postpone } from './settle.ts';

/** Deals with a failed call; what it returns is left to the caller. */
export async function handleFailure(
  deps: SendingDeps,
  held: Held,
  { failure, effect }: { failure: Failure; effect: StepEffect | undefined },
): Promise<'settle' | 'gone' | 'handled'> {
  const { attempts } = held.step;
  const decision = decideFailure(failure, { attempts, isWriteOf: effect });
  switch (decision.decision) {
    case 'again': {
      // a look-up on the way to verifying leaves the step where it was
      const state = held.step.state === 'unknown' ? 'unknown' : 'queued';
      await postpone(deps, held, { ...decision, state });
      return 'handled';
    }
    case 'park': {
      const { reason, cause, fix } = decision;
      const doubtfulField = failure.outcome === 'refused' ? failure.fieldCode : undefined;
      await endStep(deps, held, { state: 'parked', reason, cause, fix, doubtfulField });
      return 'handled';
    }
    case 'settle':
    case 'gone':
      return decision.decision;
  }
}
