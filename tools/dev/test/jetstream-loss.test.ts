import { randomUUID } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '@manifold/testing';
import { connect } from 'nats';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { type Installation, removeInstallation, startInstallation } from '../src/installation.ts';

let manifold: Installation;
beforeAll(async () => {
  manifold = await startInstallation({ env: { DEMO_PERSONS: '40', DEMO_ORGANIZATIONS: '10' } });
  await manifold.printed('The demo is complete', 180_000);
}, 300_000);
afterAll(async () => {
  await manifold.stop();
  await removeInstallation(manifold);
}, 60_000);

/** Signed up in the demo. */
const FIRST = 3;
const PATIENT = { timeoutMs: 90_000 };
let signedUp = FIRST;

test('the streams are deleted while sign-ups are delivered: nothing is lost, nothing doubled', async () => {
  const load = signUp(12);
  for (const stream of ['connections', 'referrals', 'field-mapping']) await deleteStream(stream);
  await load;

  await everythingDelivered();
  expect(await idsInStream()).toHaveLength(signedUp);
}, 240_000);

test('the broker’s store is wiped between a stop and a start: nothing is lost, nothing doubled', async () => {
  await signUp(6);
  const { sandbox } = await manifold.endpoints();
  // with work under way
  expect(await manifold.stop('SIGINT')).toBe(0);
  const folder = join(manifold.home, 'nats');
  const stores = (await readdir(folder)).filter((name) => /^nats-\d+\.\d+$/.test(name));
  expect(stores).toHaveLength(1);
  for (const store of stores) await rm(join(folder, store), { recursive: true });
  manifold = await startInstallation({
    home: manifold.home,
    // the connection remembers where the local Pipedrive is
    env: { SANDBOX_PORT: new URL(sandbox.url).port },
  });
  await manifold.printed('The demo is complete', 120_000);
  await signUp(6);

  await everythingDelivered();
  expect(await idsInStream()).toHaveLength(signedUp);
}, 300_000);

async function signUp(count: number): Promise<void> {
  const graph = await manifold.graph();
  const { campaigns } = await graph(
    '{ campaigns(first: 1) { nodes { id } } }',
    {},
    z.object({ campaigns: z.object({ nodes: z.array(z.object({ id: z.string() })) }) }),
  );
  for (let n = 0; n < count; n += 1) {
    const email = `${randomUUID()}@example.net`;
    await graph(
      'mutation ($input: SignUpInput!) { signUp(input: $input) { created } }',
      { input: { campaignId: campaigns.nodes[0]?.id, email, firstName: 'Test' } },
      z.object({ signUp: z.object({ created: z.literal(true) }) }),
    );
    signedUp += 1;
  }
}

const Counted = z.object({ totalCount: z.int() });

/** Every sign-up is one user, delivered, and one entry of each kind in the log. */
const everythingDelivered = () =>
  eventually(async () => {
    const graph = await manifold.graph();
    const counts = await graph(
      `{ delivered: referralUsers(first: 1, filter: { deliveryState: DELIVERED }) { totalCount }
        signedUp: auditEntries(first: 1, filter: { action: "referrals.user_signed_up" }) { totalCount }
        settled: auditEntries(first: 1, filter: { action: "referrals.delivery_settled" }) { totalCount } }`,
      {},
      z.object({ delivered: Counted, signedUp: Counted, settled: Counted }),
    );
    expect(counts).toEqual({
      ...{ delivered: { totalCount: signedUp }, signedUp: { totalCount: signedUp } },
      settled: { totalCount: signedUp },
    });
  }, PATIENT);

/** As the service that owns it could by mistake. */
async function deleteStream(stream: string): Promise<void> {
  const text = await readFile(join(manifold.home, 'secrets.json'), 'utf8');
  const { natsPasswords } = z
    .object({ natsPasswords: z.record(z.string(), z.string()) })
    .parse(JSON.parse(text));
  const { nats } = await manifold.endpoints();
  const connection = await connect({
    servers: new URL(nats).host,
    user: stream,
    pass: natsPasswords[stream] ?? '',
    inboxPrefix: `_INBOX_${stream}`,
  });
  try {
    const answer = await connection.request(`$JS.API.STREAM.DELETE.${stream}`);
    expect(answer.json()).toMatchObject({ success: true });
  } finally {
    await connection.close();
  }
}

/** What a subscriber outside finds with a durable consumer it makes anew: every sign-up, by event. */
const idsInStream = () =>
  eventually(async () => {
    const { host, username, password } = new URL((await manifold.endpoints()).nats);
    const connection = await connect({ servers: host, user: username, pass: password });
    try {
      const durable = `reader-${randomUUID()}`;
      const manager = await connection.jetstreamManager();
      await manager.consumers.add('referrals', {
        durable_name: durable,
        filter_subject: 'referrals.user_signed_up.v1.*',
        ack_policy: 'explicit' as never,
      });
      const consumer = await connection.jetstream().consumers.get('referrals', durable);
      const ids = new Set<string>();
      for await (const message of await consumer.fetch({ max_messages: 500, expires: 2_000 })) {
        ids.add(z.object({ id: z.string() }).parse(message.json()).id);
        message.ack();
      }
      expect(ids.size).toBe(signedUp);
      return [...ids];
    } finally {
      await connection.close();
    }
  }, PATIENT);
