import type { ConnectionId, WorkspaceId } from '@manifold/contracts';
import {
  type Authorization,
  type CallReport,
  createPipedriveClient,
  type OperationName,
  type Outcome,
  type PipedriveClient,
} from '@manifold/pipedrive';
import type { Logger } from 'pino';
import type { Admission, ApiUse, FinishedCall, PlannedCall } from '../budget/commands.ts';
import type { Credential } from './credential.ts';
import { finishedCall } from './finished-call.ts';
import { createGuardedClient } from './guarded-client.ts';
import type { TokenDeps } from './refresh.ts';
import { createTokens } from './tokens.ts';

/** Generous: a page of 500 records with many fields takes Pipedrive seconds. */
const CALL_TIMEOUT_MS = 20_000;

export interface PipedriveAccess {
  /**
   * A client that asks the budget before each call, renews tokens, and enters each call in the
   * ledger. A call the budget does not allow ends as `limited`. Throws a refusal when the connection
   * is absent, switched off or needs connecting again; the client's functions may throw it too.
   */
  clientFor: (
    workspaceId: WorkspaceId,
    connectionId: ConnectionId,
    use: ApiUse,
  ) => Promise<PipedriveClient>;
  /** The credential as it would be used now, for calls the client does not know. */
  authorizationFor: (
    workspaceId: WorkspaceId,
    connectionId: ConnectionId,
  ) => Promise<Authorization>;
}

export interface AccessDeps extends TokenDeps {
  admit: (call: PlannedCall) => Promise<Admission>;
  onCall: (call: FinishedCall) => Promise<void>;
}

export function createPipedriveAccess(deps: AccessDeps): PipedriveAccess {
  const tokens = createTokens(deps);
  return {
    authorizationFor: async (workspaceId, id) =>
      (await tokens.credentialOf(workspaceId, id)).authorization,
    async clientFor(workspaceId, id, use) {
      await tokens.credentialOf(workspaceId, id);
      return createGuardedClient(async (operation, run) => {
        const credential = await tokens.credentialOf(workspaceId, id);
        const refused = await askBudget(deps, { credential, operation, use });
        if (refused !== undefined) return refused;
        const outcome = await attempt(deps, { credential, use }, run);
        if (outcome.outcome !== 'unauthorized') return outcome;
        // turned away, so nothing was done: once more with a new token
        const newer = await tokens.replace(credential);
        const second = await attempt(deps, { credential: newer, use }, run);
        if (second.outcome === 'unauthorized') throw await tokens.giveUp(newer);
        return second;
      });
    },
  };
}

async function askBudget(
  { admit, now }: AccessDeps,
  call: { credential: Credential; operation: OperationName; use: ApiUse },
) {
  const { connection } = call.credential;
  const admission = await admit({
    ...call.use,
    workspaceId: connection.workspace_id,
    connectionId: connection.id,
    companyId: connection.company_id,
    method: connection.method,
    operation: call.operation,
  });
  if (admission.admitted) return undefined;
  if (admission.reason === 'pipedrive_blocked') return { outcome: 'blocked' } as const;
  const kind = admission.reason === 'budget_spent' ? 'daily' : 'burst';
  const retryAfterMs = Math.max(0, admission.until.getTime() - now().getTime());
  return { outcome: 'limited', kind, retryAfterMs } as const;
}

/** One try with one credential; the ledger has it before the caller sees how it ended. */
async function attempt<Data>(
  deps: AccessDeps,
  { credential, use }: { credential: Credential; use: ApiUse },
  run: (client: PipedriveClient) => Promise<Outcome<Data>>,
): Promise<Outcome<Data>> {
  const { connection, authorization } = credential;
  const calls: CallReport[] = [];
  const client = createPipedriveClient({
    apiDomain: connection.api_domain,
    allowedApiDomains: deps.allowedApiDomains,
    authorization: () => Promise.resolve(authorization),
    timeoutMs: CALL_TIMEOUT_MS,
    onCall: (call) => void calls.push(call),
  });
  const outcome = await run(client);
  for (const call of calls) await record(deps, finishedCall(connection, use, call));
  return outcome;
}

/** A ledger that cannot be written must not change how a call ended: it may have written a record. */
async function record(
  { onCall, log }: { onCall: AccessDeps['onCall']; log: Logger },
  call: FinishedCall,
) {
  await onCall(call).catch((error: unknown) =>
    log.error({ err: error, operation: call.operation }, 'call not entered in the ledger'),
  );
}
