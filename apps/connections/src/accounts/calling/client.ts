import type { ConnectionId, WorkspaceId } from '@manifold/contracts';
import {
  type Authorization,
  type CallReport,
  createPipedriveClient,
  type Failure,
  type OperationName,
  type Outcome,
  type PipedriveClient,
} from '@manifold/pipedrive';
import type { Logger } from 'pino';
import {
  type Admission,
  type ApiUse,
  credentialOf,
  type FinishedCall,
  type PlannedCall,
} from '../../budget/commands.ts';
import type { Credential } from '../tokens/credential.ts';
import { finishedCall, unmadeCall } from './finished-call.ts';
import { explainScope } from '../preflight/rules.ts';
import { createGuardedClient } from './guarded-client.ts';
import type { TokenDeps } from '../tokens/refresh.ts';
import { callTiming } from './timing.ts';
import { createTokens, type Readable, type Tokens } from '../tokens/tokens.ts';

/** As long as a call may be under way anyway when its connection is switched off. */
const KEEP_CREDENTIAL_MS = 1_000;

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
    /** What the credential is made of, for one who has read it a moment ago. */
    justRead?: Readable,
  ) => Promise<AdmittingClient>;
  /** The credential as it would be used now, for calls the client does not know. */
  authorizationFor: (
    workspaceId: WorkspaceId,
    connectionId: ConnectionId,
  ) => Promise<Authorization>;
}

export interface AdmittingClient extends PipedriveClient {
  /**
   * Takes a place for the next call of an operation, and waits for it, before anything about the call
   * is written down. The failure the call would end with, when there is no place.
   */
  admit: (operation: OperationName) => Promise<Failure | undefined>;
  /** Gives up a place that was taken ahead, so that its tokens are not counted as spent; none: nothing. */
  giveBack: () => Promise<void>;
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
    async clientFor(workspaceId, id, use, justRead) {
      const read = () => tokens.credentialOf(workspaceId, id);
      const first = justRead === undefined ? read() : tokens.credentialFrom(justRead);
      let known = { credential: await first, readAt: deps.now() };
      const ask = async (operation: OperationName): Promise<Asked> => {
        const isOld = deps.now().getTime() - known.readAt.getTime() > KEEP_CREDENTIAL_MS;
        if (isOld) known = { credential: await read(), readAt: deps.now() };
        const { credential } = known;
        const admission = await askBudget(deps, { credential, operation, use });
        return { operation, credential, admission };
      };
      let ahead: Asked | undefined;
      const guarded = createGuardedClient(async (operation, run) => {
        const asked = ahead?.operation === operation ? ahead : await ask(operation);
        ahead = undefined;
        return callOnce({ deps, tokens, use }, asked, run);
      });
      const admit = async (operation: OperationName) => {
        const asked = await ask(operation);
        if (!asked.admission.admitted) return refusedBy(asked.admission, deps.now());
        ahead = asked;
        return undefined;
      };
      const giveBack = async () => {
        const asked = ahead;
        ahead = undefined;
        if (!asked?.admission.admitted) return;
        const { credential, operation, admission } = asked;
        const unmade = unmadeCall(credential.connection, use, operation);
        await record(deps, { ...unmade, admittedAt: admission.at });
      };
      return { ...guarded, admit, giveBack };
    },
  };
}

/** A call that was decided about. */
interface Asked {
  operation: OperationName;
  credential: Credential;
  admission: Admission;
}

async function callOnce<Data>(
  { deps, tokens, use }: { deps: AccessDeps; tokens: Tokens; use: ApiUse },
  { operation, credential, admission }: Asked,
  run: (client: PipedriveClient) => Promise<Outcome<Data>>,
): Promise<Outcome<Data>> {
  if (!admission.admitted) return refusedBy(admission, deps.now());
  const startedAt = deps.now();
  const outcome = await attempt(deps, { credential, use, admittedAt: admission.at }, run);
  if (outcome.outcome === 'scope_missing') {
    return { ...outcome, ...explainScope(credential.connection, operation, deps.apps) };
  }
  if (outcome.outcome !== 'unauthorized') return outcome;
  // turned away, so nothing was done: once more with a new token
  const newer = await tokens.replace(credential);
  // whoever noted the call reckons with its end: later it is noted anew
  if (deps.now().getTime() - startedAt.getTime() > callTiming.againWithinMs) return outcome;
  const second = await attempt(deps, { credential: newer, use }, run);
  if (second.outcome === 'unauthorized') throw await tokens.giveUp(newer);
  return second;
}

const askBudget = (
  { admit }: AccessDeps,
  { credential, operation, use }: { credential: Credential; operation: OperationName; use: ApiUse },
): Promise<Admission> => {
  const { connection } = credential;
  return admit({
    ...use,
    workspaceId: connection.workspace_id,
    connectionId: connection.id,
    companyId: connection.company_id,
    credential: credentialOf(connection),
    method: connection.method,
    operation,
  });
};

function refusedBy({ until, reason }: Extract<Admission, { admitted: false }>, now: Date): Failure {
  if (reason === 'pipedrive_blocked') return { outcome: 'blocked' };
  const kind = reason === 'budget_spent' ? 'daily' : 'burst';
  const retryAfterMs = Math.max(0, until.getTime() - now.getTime());
  return { outcome: 'limited', kind, retryAfterMs };
}

/** One try with one credential; the ledger has it before the caller sees how it ended. */
async function attempt<Data>(
  deps: AccessDeps,
  {
    credential,
    use,
    admittedAt,
  }: { credential: Credential; use: ApiUse; admittedAt?: Date | undefined },
  run: (client: PipedriveClient) => Promise<Outcome<Data>>,
): Promise<Outcome<Data>> {
  const { connection, authorization } = credential;
  const calls: CallReport[] = [];
  const client = createPipedriveClient({
    apiDomain: connection.api_domain,
    allowedApiDomains: deps.allowedApiDomains,
    authorization: () => Promise.resolve(authorization),
    timeoutMs: callTiming.timeoutMs,
    onCall: (call) => void calls.push(call),
  });
  const startedAt = deps.now();
  const outcome = await run(client);
  for (const [index, call] of calls.entries()) {
    // what was reserved was reserved for the first
    const entry = finishedCall(connection, use, call);
    await record(deps, index === 0 ? { ...entry, admittedAt, startedAt } : entry);
  }
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
