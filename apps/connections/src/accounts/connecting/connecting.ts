import { ConnectionId, type UserId } from '@manifold/contracts';
import { createOnce, withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import type { Origin } from '@manifold/messaging';
import {
  type Authorization,
  type CallReport,
  createPipedriveClient,
  type Me,
  type Outcome,
  parseApiDomain,
} from '@manifold/pipedrive';
import { requireTerms, type Terms } from '../consent/rules.ts';
import { finishedCall } from '../calling/finished-call.ts';
import { type Kept, storeConnection } from './granting.ts';
import { releaseGrant } from '../grants/commands.ts';
import type { RemovalDeps } from '../removal/removal.ts';
import { refusalOf, requireFound } from '../rules.ts';
import { type SetupDeps, setUpConnection } from './setup.ts';
import { findConnection } from '../store.ts';
import type { Connection } from '../tables.ts';

/** Who connects, and with which right. */
export type Asker = Origin & { userId: UserId; byAdmin: boolean };

export interface ConnectingDeps extends SetupDeps, RemovalDeps {
  /** What whoever connects has to accept; undefined when the operator has no terms. */
  terms: Terms | undefined;
  /** Where API tokens are tried: at the company's own host, when it is named and this is Pipedrive's. */
  apiTokenDomain: string;
}

const IDENTIFY_TIMEOUT_MS = 8_000;

/** Asks Pipedrive whose credential this is; there is no connection yet whose budget could be asked. */
export async function identify(
  { allowedApiDomains }: Pick<ConnectingDeps, 'allowedApiDomains'>,
  { apiDomain, authorization }: { apiDomain: string; authorization: Authorization },
): Promise<{ answer: Outcome<Me>; calls: CallReport[] }> {
  const calls: CallReport[] = [];
  const client = createPipedriveClient({
    apiDomain,
    allowedApiDomains,
    authorization: () => Promise.resolve(authorization),
    timeoutMs: IDENTIFY_TIMEOUT_MS,
    onCall: (call) => void calls.push(call),
  });
  return { answer: await client.getMe(), calls };
}

/** Enters what connecting cost in the ledger. */
export async function recordConnecting(
  { onCall, log }: Pick<ConnectingDeps, 'onCall' | 'log'>,
  connection: Connection,
  calls: readonly CallReport[],
): Promise<void> {
  const use = { lane: 'interactive', feature: 'connecting' } as const;
  for (const call of calls) {
    // the connection was made, whatever the ledger says
    await onCall(finishedCall(connection, use, call)).catch((error: unknown) =>
      log.error({ err: error, connection: connection.id }, 'call not entered in the ledger'),
    );
  }
}

export interface ApiTokenInput {
  apiToken: string;
  companyDomain?: string | undefined;
  kind: Connection['kind'];
  /** Also where its user consented before. */
  replace?: boolean | undefined;
  acceptLimitedVisibility?: boolean | undefined;
  acceptTerms?: string | undefined;
  idempotencyKey?: string | undefined;
}

/** Connects with a user's API token; connecting the same user again renews the connection. */
export async function connectWithApiToken(
  deps: ConnectingDeps,
  input: ApiTokenInput,
  asker: Asker,
): Promise<Connection> {
  const { apiToken } = input;
  requireTerms(deps.terms, input.acceptTerms);
  const apiDomain = originOf(deps, input.companyDomain);
  const authorization = { kind: 'apiToken', token: apiToken } as const;
  const { answer, calls } = await identify(deps, { apiDomain, authorization });
  const me = readMe(answer, input);
  const { id, repeated } = await keepOnce(deps, input, { asker, me, apiDomain });
  const kept = await withWorkspace(deps.db, asker.workspaceId, (tx) => findConnection(tx, id));
  const connection = requireFound(kept, id);
  await recordConnecting(deps, connection, calls);
  if (repeated) return connection;
  return finishConnecting(deps, connection);
}

/** Sets up what was just stored. What Pipedrive does not let us do now is left to upkeep. */
export async function finishConnecting(
  deps: SetupDeps,
  connection: Connection,
): Promise<Connection> {
  const { workspace_id: workspaceId, id } = connection;
  try {
    return (await setUpConnection(deps, workspaceId, id)) ?? connection;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    deps.log.warn({ connection: id, reason: error.detail.reason }, 'connection not set up yet');
    const kept = await withWorkspace(deps.db, workspaceId, (tx) => findConnection(tx, id));
    return kept ?? connection;
  }
}

async function keepOnce(
  deps: ConnectingDeps,
  input: ApiTokenInput,
  found: { asker: Asker; me: Me; apiDomain: string },
): Promise<{ id: ConnectionId; repeated: boolean }> {
  const { db, vault } = deps;
  const { asker, me, apiDomain } = found;
  const { kind, apiToken } = input;
  const now = deps.now();
  let formerGrantId: Kept['formerGrantId'] = null;
  const once = {
    workspaceId: asker.workspaceId,
    operation: 'connectWithApiToken',
    key: input.idempotencyKey,
    input: { kind, token: vault.keyedHash('api-token', apiToken) },
    now,
    parseId: (text: string) => ConnectionId.parse(text),
  };
  const made = {
    workspaceId: asker.workspaceId,
    userId: asker.userId,
    byAdmin: asker.byAdmin,
    correlationId: asker.correlationId,
    kind,
    credential: { method: 'API_TOKEN', apiToken, replacesOauth: input.replace ?? false } as const,
    me,
    apiDomain: homeOf(deps, { apiDomain, me }),
    acceptsLimitedVisibility: input.acceptLimitedVisibility ?? false,
    termsVersion: input.acceptTerms ?? null,
  };
  const kept = await withWorkspace(db, asker.workspaceId, (tx) =>
    createOnce(tx, once, async () => {
      const stored = await storeConnection(tx, made, { vault, now });
      if (stored instanceof Refusal) throw stored;
      formerGrantId = stored.formerGrantId;
      return stored.connection.id;
    }),
  );
  if (formerGrantId !== null) await releaseGrant(deps, formerGrantId);
  return kept;
}

const isShared = (origin: string): boolean => new URL(origin).hostname === 'api.pipedrive.com';

function originOf(deps: ConnectingDeps, companyDomain: string | undefined): string {
  // elsewhere than at Pipedrive a token goes there and nowhere else
  if (companyDomain === undefined || !isShared(deps.apiTokenDomain)) return deps.apiTokenDomain;
  return `https://${companyDomain.toLowerCase()}.pipedrive.com`;
}

/** The company's own host answers faster than the one shared by all. */
function homeOf(
  { allowedApiDomains }: ConnectingDeps,
  { apiDomain, me }: { apiDomain: string; me: Me },
): string {
  if (!isShared(apiDomain)) return new URL(apiDomain).origin;
  const own = `https://${me.companyDomain}.pipedrive.com`;
  return parseApiDomain(own, allowedApiDomains) ?? apiDomain;
}

function readMe(answer: Outcome<Me>, { companyDomain }: ApiTokenInput): Me {
  if (answer.outcome === 'unauthorized') {
    throw new Refusal('invalid', 'Pipedrive does not accept this API token', {
      reason: 'token_rejected',
      field: 'input.apiToken',
      fix: 'Copy it again: in Pipedrive under Company settings, Personal preferences, API.',
    });
  }
  if (answer.outcome !== 'ok') throw refusalOf(answer);
  const me = answer.data;
  if (companyDomain !== undefined && me.companyDomain !== companyDomain.toLowerCase()) {
    throw new Refusal('invalid', 'The API token belongs to another company', {
      reason: 'company_mismatch',
      field: 'input.companyDomain',
      fix: 'Name the company of the token, or leave it out.',
    });
  }
  return me;
}
