import { WorkspaceId } from '@manifold/contracts';
import { newId } from '@manifold/database';
import type { RequestContext } from '@manifold/subgraph';
import { afterAll, expect, test } from 'vitest';
import { startTestGraph } from './graph.ts';

const { graph, caller, url, stop } = await startTestGraph({
  service: 'mirrors',
  schemaFiles: [new URL('./fixtures/mirrors.graphql', import.meta.url)],
  resolvers: [
    {
      Query: {
        caller: (_: unknown, __: unknown, { identity }: RequestContext) => identity,
      },
    },
  ],
  loaders: () => ({}),
  caller: { role: 'ADMIN' },
});
afterAll(stop);

const CALLER = '{ caller { workspaceId role } }';

test('asks as the usual caller, or as another', async () => {
  const { workspaceId } = caller;
  expect((await graph(CALLER)).data.caller).toEqual({ workspaceId, role: 'ADMIN' });

  const other = { workspaceId: newId('ws', WorkspaceId), role: 'VIEWER' as const };
  expect((await graph(CALLER, {}, other)).data.caller).toEqual(other);
});

test('who is not signed for the service is refused', async () => {
  const body = JSON.stringify({ query: CALLER });
  expect((await fetch(url, { method: 'POST', body })).status).toBe(401);
});
