import { ConnectionId, type WorkspaceId } from '@manifold/contracts';
import { connectDatabase, withWorkspace } from '@manifold/database';
import type { Logger } from 'pino';
import { createPipedriveAccess, type PipedriveAccess } from '../src/accounts/calling/client.ts';
import { openToken } from '../src/accounts/tokens/credential.ts';
import { findGrant } from '../src/accounts/grants/store.ts';
import { findConnection } from '../src/accounts/store.ts';
import type { StoredGrant } from '../src/accounts/tables.ts';
import type { Db, Tables } from '../src/store.ts';
import { basicAuthorization } from '../src/vault/compare.ts';
import type { Vault } from '../src/vault/seal.ts';
import {
  type Installation,
  newWorkspace,
  openTestVault,
  startInstallation,
} from './installation.ts';

export interface Named {
  workspaceId: WorkspaceId;
  id: ConnectionId;
}

const BEGIN = `mutation ($input: BeginConnectionInput!) {
  beginConnection(input: $input) { authorizationUrl } }`;
const secret = { clientId: 'test-app', clientSecret: 'canary-client-secret' };

export const replicaApps = ({ url: oauthUrl }: { url: string }) => [
  {
    ...secret,
    name: 'default',
    redirectUrl: 'http://127.0.0.1/oauth/callback',
    scopes: undefined,
    oauthUrl,
  },
];

/** One replica of the service as far as tokens go, with a pool of its own. */
export const createReplica = (
  db: Db,
  own: {
    vault: Vault;
    sandbox: { url: string };
    now: () => Date;
    log: Logger;
  },
): PipedriveAccess =>
  createPipedriveAccess({
    db,
    vault: own.vault,
    apps: replicaApps(own.sandbox),
    allowedApiDomains: [own.sandbox.url],
    now: own.now,
    log: own.log,
    admit: () => Promise.resolve({ admitted: true }),
    onCall: () => Promise.resolve(),
  });

/** Connections by OAuth in fresh workspaces, and what is stored of their grants. */
export function createGranted(own: {
  installation: Installation;
  sandbox: { url: string };
  db: Db;
  vault: Vault;
  userId: number;
}) {
  const { installation, sandbox, db, vault, userId } = own;
  const rowOf = ({ workspaceId, id }: Named) =>
    withWorkspace(db, workspaceId, (tx) => findConnection(tx, id));
  /** As its workspace sees it: connections of one user share it. */
  const grantOf = async (of: Named): Promise<StoredGrant> => {
    const row = await rowOf(of);
    const grant = await withWorkspace(db, of.workspaceId, (tx) =>
      findGrant(tx, row?.grant_id ?? ''),
    );
    if (grant === undefined) throw new Error('the connection has no grant');
    return grant;
  };
  return {
    rowOf,
    grantOf,
    versionOf: async (of: Named) => (await grantOf(of)).token_version,
    async connect(input: object = {}, workspaceId = newWorkspace()): Promise<Named> {
      const variables = { input: { kind: 'PERSONAL', ...input } };
      const { data } = await installation.graph(BEGIN, variables, { workspaceId });
      const { authorizationUrl } = data.beginConnection;
      const made = await installation.connect(authorizationUrl, { workspaceId }, { userId });
      const { connection } = made.data.completeConnection;
      return { workspaceId, id: ConnectionId.parse(connection.id) };
    },
    /** What a person revoking elsewhere does; nobody tells us. */
    async revokeAtPipedrive(of: Named): Promise<void> {
      const token = openToken(vault, await grantOf(of), 'refresh_token') ?? '';
      const response = await fetch(`${sandbox.url}/oauth/revoke`, {
        method: 'POST',
        headers: { authorization: basicAuthorization(secret.clientId, secret.clientSecret) },
        body: new URLSearchParams({ token, token_type_hint: 'refresh_token' }),
      });
      if (response.status !== 200) throw new Error(`revoking answered ${response.status}`);
    },
  };
}

interface ReplicatedGround {
  database: { db: Db; urls: { ownerUrl: string; appUrl: string } };
  natsUrl: string;
  sandbox: { url: string; controlUrl: string; apiToken: string };
  /** Of the replicas, not of the installation. */
  now: () => Date;
  log: Logger;
}

/** An installation, two replicas beside it with pools of their own, and grants they share. */
export async function startReplicated({ database, natsUrl, sandbox, now, log }: ReplicatedGround) {
  const { db, urls } = database;
  const installation = await startInstallation({ urls, natsUrl, sandbox, log });
  const vault = await openTestVault(db);
  const pools = [1, 2].map(() => connectDatabase<Tables>(urls.appUrl, { max: 6 }));
  const { control } = installation;
  const userId = (await control('GET', '/state')).users[0].id;
  return {
    installation,
    vault,
    pools,
    replicas: pools.map((pool) => createReplica(pool, { vault, sandbox, now, log })),
    granted: createGranted({ installation, sandbox, db, vault, userId }),
    /** Pipedrive gives no token until what is returned is called. */
    holdTokens: async (): Promise<() => Promise<void>> => {
      const held = { kind: 'latency', ms: HOLD_MS, match: { path: '/oauth/token' } };
      await control('POST', '/faults', held);
      return async () => {
        await control('DELETE', '/faults');
        await control('POST', '/clock', { advanceMs: HOLD_MS });
      };
    },
    stop: async () => {
      await installation.stop();
      await Promise.all(pools.map((pool) => pool.destroy()));
    },
  };
}

/** Longer than we wait for a token, and nothing to the life of one. */
const HOLD_MS = 20_000;
