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
import type { FinishedCall } from '../budget/commands.ts';
import { keepGrant } from './granting.ts';
import { sealSecret } from './credential.ts';
import { finishedCall } from './finished-call.ts';
import { refusalOf, requireFound } from './rules.ts';
import { type SetupDeps, setUpConnection } from './setup.ts';
import { findConnection } from './store.ts';
import type { Connection } from './tables.ts';

export interface ConnectingDeps extends SetupDeps {
  allowedApiDomains: readonly string[];
  /** Where API tokens are tried: at the company's own host, when it is named and this is Pipedrive's. */
  apiTokenDomain: string;
  onCall: (call: FinishedCall) => Promise<void>;
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
  { onCall }: Pick<ConnectingDeps, 'onCall'>,
  connection: Connection,
  calls: readonly CallReport[],
): Promise<void> {
  const use = { lane: 'interactive', feature: 'connections' } as const;
  for (const call of calls) await onCall(finishedCall(connection, use, call));
}

export interface ApiTokenInput {
  apiToken: string;
  companyDomain?: string | undefined;
  kind: Connection['kind'];
  idempotencyKey?: string | undefined;
}

/** Connects with a user's API token; connecting the same user again renews the connection. */
export async function connectWithApiToken(
  deps: ConnectingDeps,
  input: ApiTokenInput,
  asker: Origin & { userId: UserId },
): Promise<Connection> {
  const { apiToken, kind } = input;
  const apiDomain = originOf(deps, input.companyDomain);
  const authorization = { kind: 'apiToken', token: apiToken } as const;
  const { answer, calls } = await identify(deps, { apiDomain, authorization });
  const me = readMe(answer, input);
  const { id, repeated } = await withWorkspace(deps.db, asker.workspaceId, (tx) =>
    createOnce(
      tx,
      {
        workspaceId: asker.workspaceId,
        operation: 'connectWithApiToken',
        key: input.idempotencyKey,
        input: { kind, token: deps.vault.keyedHash('api-token', apiToken) },
        now: deps.now(),
        parseId: (text) => ConnectionId.parse(text),
      },
      async () => {
        const grant = {
          ...asker,
          kind,
          method: 'API_TOKEN' as const,
          me,
          apiDomain: homeOf(deps, { apiDomain, me }),
          seal: (named: Pick<Connection, 'workspace_id' | 'id'>) => ({
            access_token: sealSecret(deps.vault, named, {
              column: 'access_token',
              secret: apiToken,
            }),
            refresh_token: null,
            expires_at: null,
            refresh_at: null,
            // an API token may do whatever its user may
            scopes: [],
          }),
        };
        return (await keepGrant(tx, grant, { vault: deps.vault, now: deps.now() })).id;
      },
    ),
  );
  const kept = await withWorkspace(deps.db, asker.workspaceId, (tx) => findConnection(tx, id));
  const connection = requireFound(kept, id);
  await recordConnecting(deps, connection, calls);
  if (repeated) return connection;
  return (await setUpConnection(deps, asker.workspaceId, id)) ?? connection;
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
