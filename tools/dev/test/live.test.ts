import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '@manifold/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import type { Graph } from '../src/graph.ts';
import { type Installation, removeInstallation, startInstallation } from '../src/installation.ts';
import { ROOT } from '../src/settings.ts';
import { startFollowing } from './following.ts';

const PATIENT = { timeoutMs: 60_000 };
let manifold: Installation;
let graph: Graph;
let connectionId: string;
beforeAll(async () => {
  manifold = await startInstallation({ env: { DEMO_PERSONS: '60', DEMO_ORGANIZATIONS: '10' } });
  await manifold.printed('The demo is complete', 120_000);
  graph = await manifold.graph();
  const { connections } = await graph('{ connections { nodes { id } } }', {}, Connections);
  connectionId = connections.nodes[0]?.id ?? '';
}, 240_000);
afterAll(async () => {
  await manifold.stop();
  await removeInstallation(manifold);
}, 60_000);

const Connections = z.object({
  connections: z.object({ nodes: z.array(z.object({ id: z.string() })) }),
});
const follow = async (query: string, variables: object, apiKey?: string) => {
  const endpoints = await manifold.endpoints();
  return startFollowing(
    { gateway: endpoints.gateway, apiKey: apiKey ?? endpoints.apiKey },
    query,
    variables,
  );
};

test('a change set is followed from its planning to its end', async () => {
  const changes = Array.from({ length: 40 }, (_, index) => ({
    object: 'PERSON',
    identity: [{ kind: 'PIPEDRIVE_ID', value: String(index + 1) }],
    fields: [{ code: 'name', value: `Followed ${index}` }],
  }));
  const { planChangeSet } = await graph(
    'mutation ($input: PlanChangeSetInput!) { planChangeSet(input: $input) { changeSet { id } } }',
    { input: { connectionId, title: 'Names', changes } },
    z.object({ planChangeSet: z.object({ changeSet: z.object({ id: z.string() }) }) }),
  );
  const { id } = planChangeSet.changeSet;
  const { seen, leave } = await follow(
    `subscription ($id: ID!) { changeSetProgressed(id: $id) {
       state hash connection { id } progress { done total } outcomes { applied } } }`,
    { id },
  );
  const last = () => seen.results.at(-1)?.data.changeSetProgressed;
  await eventually(() => expect(last()).toMatchObject({ state: 'AWAITING_APPROVAL' }), PATIENT);

  await graph(
    'mutation ($input: ApproveChangeSetInput!) { approveChangeSet(input: $input) { changeSet { id } } }',
    { input: { id, hash: last().hash } },
    z.unknown(),
  );

  await eventually(() => expect(last()).toMatchObject({ state: 'DONE' }), PATIENT);
  expect(last()).toMatchObject({
    connection: { id: connectionId },
    progress: { done: 40, total: 40 },
    outcomes: { applied: 40 },
  });
  const between = seen.results.filter(
    ({ data: { changeSetProgressed: set } }) =>
      set.state === 'APPLYING' && set.outcomes.applied > 0,
  );
  expect(between.length).toBeGreaterThan(0);
  await leave();
}, 120_000);

test('a key that is revoked meanwhile ends what it follows', async () => {
  const { createApiKey } = await graph(
    'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { key apiKey { id } } }',
    { input: { name: 'For a while' } },
    z.object({
      createApiKey: z.object({ key: z.string(), apiKey: z.object({ id: z.string() }) }),
    }),
  );
  const { key, apiKey } = createApiKey;
  const text = 'subscription ($id: ID) { budgetChanged(connectionId: $id) { spentToday } }';
  const { seen } = await follow(text, { id: connectionId }, key);
  await eventually(() => expect(seen.results).toHaveLength(1), PATIENT);

  await graph(
    'mutation ($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) { apiKey { id } } }',
    { input: { apiKeyId: apiKey.id } },
    z.unknown(),
  );

  await eventually(() => expect(seen.completed).toBe(true), PATIENT);
  expect(seen.results.at(-1)?.errors[0].extensions.code).toBe('UNAUTHENTICATED');
}, 60_000);

test('the command in the gateway’s README follows connections', async () => {
  const readme = await readFile(join(ROOT, 'apps/gateway/README.md'), 'utf8');
  const [, command = ''] = /## Follow\n\n```sh\n([^]*?)```/.exec(readme) ?? [];
  const { gateway } = await manifold.endpoints();
  const here = command
    .replace('http://127.0.0.1:4000/graphql', gateway)
    .replace('./.local/', `${manifold.home}/`);
  const curl = spawn('sh', ['-c', `exec ${here}`], { cwd: ROOT });
  let shown = '';
  curl.stdout.on('data', (chunk: Buffer) => {
    shown += chunk.toString();
  });
  // the first line is sent when the gateway listens
  await eventually(() => expect(shown).toMatch(/^:/), PATIENT);
  const change = (name: string) =>
    graph(
      `mutation ($id: ID!) { ${name}Connection(input: { id: $id }) { connection { id } } }`,
      { id: connectionId },
      z.unknown(),
    );
  await change('disable');
  await eventually(() => expect(shown).toContain(`"id":"${connectionId}","status":"DISABLED"`));
  await change('enable');
  await eventually(() => expect(shown).toContain(`"id":"${connectionId}","status":"ACTIVE"`));
  curl.kill();
  await once(curl, 'exit');
}, 60_000);
