import { type CallReport, explainLimit, operations } from '@manifold/pipedrive';
import type { FinishedCall, PlannedCall } from '../src/budget/commands.ts';

type Limits = CallReport['limits'];

const silent: Limits = {
  burstLimit: undefined,
  burstRemaining: undefined,
  burstResetSeconds: undefined,
  dailyTokenLimit: undefined,
  dailyTokensRemaining: undefined,
  retryAfterSeconds: undefined,
};

/** A planned call that has ended, well unless told otherwise. */
export function finishedCall(
  planned: PlannedCall,
  change: Partial<Omit<FinishedCall, 'limits'>> & { limits?: Partial<Limits> },
): FinishedCall {
  const { method: _, ...call } = planned;
  const { limits: heard, ...rest } = change;
  const limits = { ...silent, ...heard };
  const operation = rest.operation ?? call.operation;
  const outcome = rest.outcome ?? 'ok';
  const limited = outcome === 'limited' ? explainLimit(limits) : undefined;
  const { priceTokens } = operations[operation];
  return { ...call, priceTokens, status: 200, ...rest, operation, outcome, limited, limits };
}
