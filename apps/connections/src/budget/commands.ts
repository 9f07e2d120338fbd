import type { ChangeSetId, ConnectionId, WorkspaceId } from '@manifold/contracts';
import type { CallReport, OperationName } from '@manifold/pipedrive';
import type { Lane } from './tables.ts';

export type { Admission, BudgetPlan } from './rules.ts';

/** What a client is wanted for; hand it to `clientFor(workspaceId, connectionId, use)`. */
export interface ApiUse {
  lane: Lane;
  /** What the tokens are spent for: an `OwnFeature`, or the service that asked, e.g. `referrals`. */
  feature: string;
  /** The job it is part of. */
  changeSetId?: ChangeSetId | undefined;
}

export interface PlannedCall extends ApiUse {
  workspaceId: WorkspaceId;
  connectionId: ConnectionId;
  companyId: string;
  /** What Pipedrive counts bursts by; see `credentialOf`. */
  credential: string;
  method: 'OAUTH' | 'API_TOKEN';
  operation: OperationName;
}

export type FinishedCall = Omit<PlannedCall, 'method'> &
  Pick<CallReport, 'priceTokens' | 'status' | 'limited' | 'limits'> & {
    /** `given_back`: its place was taken and it was never made. */
    outcome: CallReport['outcome'] | 'given_back';
    /** When it was given its place; absent for calls that asked for none. */
    admittedAt?: Date | undefined;
    /** When it left. */
    startedAt?: Date | undefined;
  };

/** Workspaces share a grant, and one user's API token; Pipedrive counts the bursts of each as one. */
export const credentialOf = (connection: {
  grant_id: string | null;
  company_id: string;
  pipedrive_user_id: string;
}): string =>
  connection.grant_id ?? `user:${connection.company_id}:${connection.pipedrive_user_id}`;
