import { generateKeyPairSync } from 'node:crypto';
import { ApiKeyId, type Role, UserId, type WorkspaceId } from '@manifold/contracts';
import { newId } from '@manifold/database';
import { startHttp } from '@manifold/service';
import { createSubgraph, signIdentity } from '@manifold/subgraph';
import { pino } from 'pino';

type Subgraph = Parameters<typeof createSubgraph<object>>[0];

/** The service's subgraph behind real HTTP, asked as the gateway would: signed, one request a time. */
export async function startGraph(
  options: Pick<Subgraph, 'service' | 'schemaFiles' | 'resolvers' | 'loaders'> & {
    workspaceId: WorkspaceId;
  },
) {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const log = pino({ level: 'silent' });
  const subgraph = await createSubgraph({ ...options, publicKey, log });
  const routes = { '/graphql': subgraph.handler };
  const http = await startHttp({ host: '127.0.0.1', port: 0, routes, checks: {}, log });

  async function graph(
    query: string,
    variables: object,
    caller: { role?: Role; workspaceId?: WorkspaceId } = {},
  ) {
    const body = JSON.stringify({ query, variables });
    const identity = {
      workspaceId: caller.workspaceId ?? options.workspaceId,
      userId: newId('us', UserId),
      role: caller.role ?? ('ADMIN' as const),
      apiKeyId: newId('ak', ApiKeyId),
      entitlements: [],
    };
    const audience = options.service;
    const signing = { privateKey, audience, body, correlationId: 'test' };
    const headers = { 'x-manifold-identity': await signIdentity(identity, signing) };
    const url = `http://127.0.0.1:${http.port}/graphql`;
    const response = await fetch(url, { method: 'POST', headers, body });
    return JSON.parse(await response.text());
  }

  const stop = async () => {
    await http.stop();
    await subgraph.stop();
  };
  return { graph, stop };
}
