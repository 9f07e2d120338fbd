import { generateKeyPairSync } from 'node:crypto';
import { ApiKeyId, type Identity, UserId, WorkspaceId } from '@manifold/contracts';
import { newId } from '@manifold/database';
import { startHttp } from '@manifold/service';
import {
  createSubgraph,
  IDENTITY_HEADER,
  signIdentity,
  type SubgraphOptions,
} from '@manifold/subgraph';
import { silentLog } from './log.ts';

/** Who asks: parts of an identity. What is left out is the test's own workspace and user, and OWNER. */
export type TestCaller = Partial<Identity>;

/** A GraphQL answer, as loose as a client reads it; `errors` is absent when there are none. */
export type GraphAnswer = ReturnType<typeof JSON.parse>;

/** A subgraph behind real HTTP, and a way to ask it. */
export type TestGraph = {
  /** Asks as the gateway would: signed for this service and this body. */
  graph: (query: string, variables?: object, caller?: TestCaller) => Promise<GraphAnswer>;
  /** Who asks unless told otherwise. */
  caller: Identity;
  /** Where it listens: `http://127.0.0.1:<port>/graphql`. */
  url: string;
  stop: () => Promise<void>;
};

/**
 * Starts a service's subgraph for one test file, with the options of `createSubgraph`; keys are made
 * for it, and it logs nothing. `caller` changes who asks by default. Call `stop` in `afterAll`.
 */
export async function startTestGraph<Loaders extends object>({
  caller: given = {},
  ...subgraph
}: Omit<SubgraphOptions<Loaders>, 'publicKey' | 'log'> & {
  caller?: TestCaller;
}): Promise<TestGraph> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const { handler, stop } = await createSubgraph({ ...subgraph, publicKey, log: silentLog });
  const routes = { '/graphql': handler };
  const http = await startHttp({ host: '127.0.0.1', port: 0, routes, checks: {}, log: silentLog });
  const url = `http://127.0.0.1:${http.port}/graphql`;
  const usual: Identity = { ...newIdentity(), ...given };

  const graph: TestGraph['graph'] = async (query, variables = {}, caller = {}) => {
    const body = JSON.stringify({ query, variables });
    const signing = { privateKey, audience: subgraph.service, body, correlationId: 'test' };
    const token = await signIdentity({ ...usual, ...caller }, signing);
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', [IDENTITY_HEADER]: token },
      body,
    });
    return JSON.parse(await response.text());
  };
  const stopAll = async () => {
    await http.stop();
    await stop();
  };
  return { graph, caller: usual, url, stop: stopAll };
}

const newIdentity = (): Identity => ({
  workspaceId: newId('ws', WorkspaceId),
  userId: newId('us', UserId),
  apiKeyId: newId('ak', ApiKeyId),
  role: 'OWNER',
  entitlements: [],
});
