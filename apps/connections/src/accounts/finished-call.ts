import type { CallReport } from '@manifold/pipedrive';
import { type ApiUse, credentialOf, type FinishedCall } from '../budget/commands.ts';
import type { Connection } from './tables.ts';

/** A call as the ledger wants it. */
export const finishedCall = (
  connection: Pick<
    Connection,
    'workspace_id' | 'id' | 'company_id' | 'grant_id' | 'pipedrive_user_id'
  >,
  use: ApiUse,
  { operation, priceTokens, status, outcome, limited, limits }: CallReport,
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
