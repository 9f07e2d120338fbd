import { type CallReport, type OperationName, operations } from '@manifold/pipedrive';
import { type ApiUse, credentialOf, type FinishedCall } from '../../budget/commands.ts';
import type { Connection } from '../tables.ts';

/** A call as the ledger wants it. */
export const finishedCall = (
  connection: Pick<
    Connection,
    'workspace_id' | 'id' | 'company_id' | 'grant_id' | 'pipedrive_user_id'
  >,
  use: ApiUse,
  { operation, priceTokens, status, outcome, limited, limits }: Omit<CallReport, 'durationMs'>,
): FinishedCall => ({
  ...use,
  workspaceId: connection.workspace_id,
  connectionId: connection.id,
  companyId: connection.company_id,
  credential: credentialOf(connection),
  operation,
  priceTokens,
  status,
  outcome,
  limited,
  limits,
});

/** One whose place was taken and that was never made. */
export const unmadeCall = (
  connection: Parameters<typeof finishedCall>[0],
  use: ApiUse,
  operation: OperationName,
): FinishedCall => {
  const { priceTokens } = operations[operation];
  const silent = { status: undefined, limited: undefined, limits: unheard };
  const call = { operation, priceTokens, ...silent, outcome: 'not_sent' } as const;
  return { ...finishedCall(connection, use, call), outcome: 'given_back' };
};

const unheard: CallReport['limits'] = {
  burstLimit: undefined,
  burstRemaining: undefined,
  burstResetSeconds: undefined,
  dailyTokenLimit: undefined,
  dailyTokensRemaining: undefined,
  retryAfterSeconds: undefined,
};
