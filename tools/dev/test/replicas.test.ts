import { eventually } from '@manifold/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { connectGraph, type Graph } from '../src/graph.ts';
import { expectRenamed, startRenaming } from './replicas-renames.ts';
import { programs, type Replicated, startReplicated } from './replicas.ts';

const PERSONS = 400;
const DEMO_SIGN_UPS = 3;
const SIGN_UPS = 20;
const RENAMED = 100;

let manifold: Replicated;
let graph: Graph;
beforeAll(async () => {
  manifold = await startReplicated({ persons: PERSONS, organizations: 50 });
  graph = connectGraph(manifold.endpoints.gateway, manifold.endpoints.apiKey);
}, 300_000);
afterAll(() => manifold.stop(), 60_000);

test('two replicas of every service, from their bundles, do everything once', async () => {
  await signUpAll('first', SIGN_UPS / 2);
  await eventually(() => expectAllOnce(DEMO_SIGN_UPS + SIGN_UPS / 2), { timeoutMs: 60_000 });
}, 90_000);

test('one replica of each goes without a word in the middle of work: still once, nothing lost', async () => {
  const { controlUrl } = manifold.endpoints.sandbox;
  const id = await startRenaming(graph, RENAMED);
  const signedUp = signUpAll('second', SIGN_UPS / 2);
  for (const name of programs) manifold.killOne(name);
  await signedUp;
  await eventually(
    async () => {
      await expectRenamed(graph, { id, count: RENAMED, controlUrl });
      await expectAllOnce(DEMO_SIGN_UPS + SIGN_UPS, RENAMED);
    },
    { timeoutMs: 90_000 },
  );
}, 180_000);

test('the explorer is served from the bundle', async () => {
  const { origin } = new URL(manifold.endpoints.gateway);
  for (const path of ['/', '/explorer/graphiql.js', '/explorer/react.js']) {
    expect((await fetch(`${origin}${path}`)).status, path).toBe(200);
  }
});

/** Everybody signs up twice at the same moment, and again when something was in the way. */
async function signUpAll(name: string, count: number): Promise<void> {
  const { campaigns } = await patiently(() =>
    graph(
      '{ campaigns(first: 1) { nodes { id } } }',
      {},
      z.object({ campaigns: z.object({ nodes: z.array(z.object({ id: z.string() })) }) }),
    ),
  );
  const input = { campaignId: campaigns.nodes[0]?.id, firstName: 'Test', lastName: 'Person' };
  const emails = Array.from({ length: count }, (_, index) => `${name}-${index}@example.net`);
  const signUp = (email: string) =>
    graph(
      'mutation ($input: SignUpInput!) { signUp(input: $input) { created } }',
      { input: { ...input, email } },
      z.unknown(),
    );
  await Promise.all([...emails, ...emails].map((email) => patiently(() => signUp(email))));
}

/** As a frontend tries again when a service answers that it is not available. */
const patiently = <Result>(ask: () => Promise<Result>) => eventually(ask, { timeoutMs: 60_000 });

const Count = z.object({ totalCount: z.int() });

/** Every change of a change set is a write request of its own. */
async function expectAllOnce(signUps: number, changes = 0): Promise<void> {
  const counted = await graph(
    `{ contacts(first: 1) { totalCount } referralUsers(first: 1) { totalCount }
       auditEntries(filter: { action: "referrals.user_signed_up" }, first: 1) { totalCount }
       writeRequests(filter: { state: SUCCEEDED }, first: 1) { totalCount } }`,
    {},
    z.object({
      contacts: Count,
      referralUsers: Count,
      auditEntries: Count,
      writeRequests: Count,
    }),
  );
  const state = await fetch(`${manifold.endpoints.sandbox.controlUrl}/state`);
  const { counts } = z
    .object({ counts: z.object({ persons: z.int(), leads: z.int() }) })
    .parse(await state.json());
  expect({ ...counted, ...counts }).toEqual({
    contacts: { totalCount: PERSONS + signUps },
    referralUsers: { totalCount: signUps },
    auditEntries: { totalCount: signUps },
    writeRequests: { totalCount: signUps + changes },
    persons: PERSONS + signUps,
    leads: signUps,
  });
}
