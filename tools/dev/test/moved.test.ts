import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { type Installation, removeInstallation, startInstallation } from '../src/installation.ts';

const env = { DEMO_PERSONS: '20', DEMO_ORGANIZATIONS: '5' };
const LIST = '{ connections { nodes { id kind status scopes company { url } } } }';
const Connected = z.object({
  connections: z.object({
    nodes: z.array(
      z.object({
        id: z.string(),
        status: z.string(),
        scopes: z.array(z.string()),
        company: z.object({ url: z.string() }),
      }),
    ),
  }),
});

let first: { url: string; id: string };
let again: Installation;
beforeAll(async () => {
  const before = await startInstallation({ env });
  await before.printed('The demo is complete', 120_000);
  const { sandbox } = await before.endpoints();
  const [connection] = await connectionsOf(before);
  first = { url: new URL(sandbox.url).origin, id: connection?.id ?? '' };
  await before.stop();
  again = await startInstallation({ env, home: before.home });
}, 300_000);
afterAll(async () => {
  await again.stop();
  await removeInstallation(again);
}, 60_000);

const connectionsOf = async (manifold: Installation) =>
  (await (await manifold.graph())(LIST, {}, Connected)).connections.nodes;

test('started again with its local Pipedrive on another port, the same connection goes on', async () => {
  await again.printed('The demo is complete', 120_000);
  const { sandbox } = await again.endpoints();
  const here = new URL(sandbox.url).origin;
  expect(here).not.toBe(first.url);
  const [connection, ...more] = await connectionsOf(again);
  expect(more).toEqual([]);
  expect(connection).toMatchObject({ id: first.id, status: 'ACTIVE', company: { url: here } });
  expect(connection?.scopes).toContain('admin');
  const refreshed = await (await again.graph())(
    'mutation ($input: RefreshFieldsInput!) { refreshFields(input: $input) { connection { status } } }',
    { input: { connectionId: first.id } },
    z.object({ refreshFields: z.unknown() }),
  );
  expect(refreshed.refreshFields).toEqual({ connection: { status: 'ACTIVE' } });
}, 150_000);
