import { randomUUID } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '@manifold/testing';
import { connect } from 'nats';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { type Installation, removeInstallation, startInstallation } from '../src/installation.ts';

let manifold: Installation;
beforeAll(async () => {
  manifold = await startInstallation({});
  await manifold.printed('The demo is complete', 120_000);
}, 240_000);
afterAll(async () => {
  await manifold.stop();
  await removeInstallation(manifold);
}, 60_000);

const Contacts = z.object({
  contacts: z.object({
    totalCount: z.int(),
    nodes: z.array(
      z.object({ id: z.string(), name: z.string().nullable(), pipedriveId: z.string().nullable() }),
    ),
  }),
});
const Leads = z.object({
  data: z.array(z.object({ id: z.string(), title: z.string(), person_id: z.int().nullable() })),
});
const Person = z.object({
  data: z.object({
    id: z.int(),
    name: z.string(),
    emails: z.array(z.object({ value: z.string() })),
  }),
});

test('10,000 persons and 2,000 organizations are in the graph after the first sync (OR-29, OR-34, OR-44)', async () => {
  const graph = await manifold.graph();
  const counted = await graph(
    '{ contacts(first: 1) { totalCount } accounts(first: 1) { totalCount } dataSources(first: 5) { nodes { lastRun { state counts { reason count } } } } }',
    {},
    z.object({
      contacts: z.object({ totalCount: z.int() }),
      accounts: z.object({ totalCount: z.int() }),
      dataSources: z.object({
        nodes: z.array(z.object({ lastRun: z.object({ state: z.string() }) })),
      }),
    }),
  );
  // the three people signed up are persons too, and come by webhook
  expect(counted.contacts.totalCount).toBe(10_003);
  expect(counted.accounts.totalCount).toBe(2_000);
  expect(counted.dataSources.nodes[0]?.lastRun.state).toBe('SUCCEEDED');
});

test('a person changed in Pipedrive is changed in the graph', async () => {
  const name = `Changed ${randomUUID()}`;
  await manifold.pipedrive('/api/v2/persons/7', { method: 'PATCH', body: { name } });
  await eventually(async () => expect(await contactsNamed(name)).toHaveLength(1), {
    timeoutMs: 10_000,
  });
});

test('a person deleted in Pipedrive leaves the graph', async () => {
  const name = `Gone ${randomUUID()}`;
  const { data } = Person.parse(
    await manifold.pipedrive('/api/v2/persons', { method: 'POST', body: { name } }),
  );
  await eventually(async () => expect(await contactsNamed(name)).toHaveLength(1), {
    timeoutMs: 10_000,
  });
  await manifold.pipedrive(`/api/v2/persons/${data.id}`, { method: 'DELETE' });
  await eventually(async () => expect(await contactsNamed(name)).toHaveLength(0), {
    timeoutMs: 10_000,
  });
});

test('a sign-up is one person and one lead in Pipedrive, with id and link on the sign-up (RF-01, RF-08, RF-28, RF-29)', async () => {
  const user = await signUp('one-lead@example.net');
  const delivered = await eventually(() => deliveryOf(user.id, 'DELIVERED'), { timeoutMs: 10_000 });
  const { data: leads } = Leads.parse(
    await manifold.pipedrive(`/api/v1/leads?person_id=${delivered.person?.pipedriveId}`),
  );
  expect(leads.map(({ id }) => id)).toEqual([delivered.lead?.pipedriveId]);
  expect(delivered.lead?.pipedriveUrl).toContain(delivered.lead?.pipedriveId);
  const { data: person } = Person.parse(
    await manifold.pipedrive(`/api/v2/persons/${delivered.person?.pipedriveId}`),
  );
  expect(person.emails.map(({ value }) => value)).toEqual(['one-lead@example.net']);
});

test('a second sign-up with one e-mail makes no second user and no second lead (RF-26)', async () => {
  const first = await signUp('twice@example.net');
  await eventually(() => deliveryOf(first.id, 'DELIVERED'), { timeoutMs: 10_000 });
  const second = await signUp('Twice@Example.net');
  expect(second).toEqual({ id: first.id, created: false });
  expect(await leadsOf(first.id)).toHaveLength(1);
});

test('the audit log tells what a sign-up did and what it cost', async () => {
  const user = await signUp('audited@example.net');
  await eventually(() => deliveryOf(user.id, 'DELIVERED'), { timeoutMs: 10_000 });
  const graph = await manifold.graph();
  await eventually(async () => {
    const { auditEntries } = await graph(
      'query ($id: String!) { auditEntries(filter: { target: { type: "ReferralUser", id: $id } }, first: 50) { nodes { action outcome costTokens correlationId } } }',
      { id: user.id },
      z.object({
        auditEntries: z.object({
          nodes: z.array(
            z.object({
              action: z.string(),
              outcome: z.string(),
              costTokens: z.int().nullable(),
              correlationId: z.string(),
            }),
          ),
        }),
      }),
    );
    const { nodes } = auditEntries;
    expect(nodes.map(({ action }) => action)).toEqual(
      expect.arrayContaining([
        'referrals.user_signed_up',
        'connections.step_settled',
        'connections.write_request_settled',
        'referrals.delivery_settled',
      ]),
    );
    // search 20 + person 5, lead 10
    const steps = nodes.filter(({ action }) => action === 'connections.step_settled');
    expect(new Set(steps.map(({ costTokens }) => costTokens))).toEqual(new Set([10, 25]));
    expect(new Set(nodes.map(({ correlationId }) => correlationId)).size).toBe(1);
  });
});

test('any NATS client can follow the events with a durable consumer of its own', async () => {
  const { nats } = await manifold.endpoints();
  const { host, username, password } = new URL(nats);
  const connection = await connect({ servers: host, user: username, pass: password });
  try {
    const manager = await connection.jetstreamManager();
    const durable = `reader-${randomUUID()}`;
    await manager.consumers.add('connections', {
      durable_name: durable,
      filter_subject: 'connections.record_changed.v1.*',
      ack_policy: 'explicit' as never,
      deliver_policy: 'new' as never,
    });
    await manifold.pipedrive('/api/v2/persons/8', {
      method: 'PATCH',
      body: { name: randomUUID() },
    });
    const consumer = await connection.jetstream().consumers.get('connections', durable);
    const message = await consumer.next({ expires: 10_000 });
    message?.ack();
    expect(message?.json()).toMatchObject({
      name: 'connections.record_changed.v1',
      payload: {
        object: 'person',
        pipedriveId: '8',
        action: 'updated',
        changedKeys: expect.arrayContaining(['name']),
      },
    });
  } finally {
    await connection.close();
  }
});

test.each([
  'workspaces',
  'connections',
  'field-mapping',
  'contacts',
  'referrals',
  'audit',
  'gateway',
])(
  'killing %s loses nothing: changes and sign-ups arrive once it is back',
  async (victim) => {
    const before = await manifold.endpoints();
    const email = `${victim}-killed@example.net`;
    const name = `Changed while ${victim} was away ${randomUUID()}`;
    const pidOf = ({ services, gatewayPid }: typeof before) =>
      victim === 'gateway' ? gatewayPid : (services[victim]?.pid ?? 0);
    // half of the work before the kill, so that something is under way
    const early = await signUp(`early-${email}`);
    process.kill(pidOf(before), 'SIGKILL');
    await manifold.pipedrive('/api/v2/persons/9', { method: 'PATCH', body: { name } });
    const late = await eventually(() => signUp(email), { timeoutMs: 60_000 });
    await eventually(async () => expect(await contactsNamed(name)).toHaveLength(1), {
      timeoutMs: 60_000,
    });
    for (const { id } of [early, late]) {
      await eventually(() => deliveryOf(id, 'DELIVERED'), { timeoutMs: 60_000 });
      expect(await leadsOf(id)).toHaveLength(1);
    }
    const after = await manifold.endpoints();
    expect(pidOf(after)).not.toBe(pidOf(before));
    expect(manifold.output()).toContain(`${victim} ended (signal SIGKILL); starting it again`);
  },
  180_000,
);

test('endpoints.json is for its owner alone and goes at stop; nothing is left running', async () => {
  const file = join(manifold.home, 'endpoints.json');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const { services, gatewayPid, sandboxPid } = await manifold.endpoints();
  expect(await manifold.stop('SIGINT')).toBe(0);
  expect(existsSync(file)).toBe(false);
  for (const pid of [...Object.values(services).map(({ pid }) => pid), gatewayPid, sandboxPid]) {
    expect(() => process.kill(pid, 0), String(pid)).toThrow('ESRCH');
  }
}, 60_000);

test('a second start keeps the data, the local Pipedrive’s included, and repeats nothing', async () => {
  manifold = await startInstallation({ home: manifold.home });
  await manifold.printed('The demo is complete', 60_000);
  const graph = await manifold.graph();
  const counted = await graph(
    '{ contacts(first: 1) { totalCount } referralUsers(first: 1) { totalCount } }',
    {},
    z.object({
      contacts: z.object({ totalCount: z.int() }),
      referralUsers: z.object({ totalCount: z.int() }),
    }),
  );
  // demo 3 + one, twice, audited + two for each of the seven kills
  expect(counted.referralUsers.totalCount).toBe(3 + 3 + 14);
  expect(counted.contacts.totalCount).toBe(10_000 + counted.referralUsers.totalCount);
}, 180_000);

test('after npm start was killed, the next one takes its servers’ ports back and works', async () => {
  const { nats, services } = await manifold.endpoints();
  const env = {
    NATS_PORT: new URL(nats).port,
    POSTGRES_PORT: new URL(services['audit']?.databaseUrl ?? '').port,
  };
  await manifold.stop('SIGKILL');
  manifold = await startInstallation({ home: manifold.home, env });
  await manifold.printed('The demo is complete', 60_000);
  expect(new URL((await manifold.endpoints()).nats).port).toBe(env.NATS_PORT);
}, 180_000);

async function contactsNamed(name: string) {
  const graph = await manifold.graph();
  const { contacts } = await graph(
    'query ($name: String!) { contacts(filter: { nameContains: $name }, first: 5) { totalCount nodes { id name pipedriveId } } }',
    { name },
    Contacts,
  );
  return contacts.nodes;
}

async function signUp(email: string): Promise<{ id: string; created: boolean }> {
  const graph = await manifold.graph();
  const { campaigns } = await graph(
    '{ campaigns(first: 1) { nodes { id } } }',
    {},
    z.object({ campaigns: z.object({ nodes: z.array(z.object({ id: z.string() })) }) }),
  );
  const { signUp: payload } = await graph(
    'mutation ($input: SignUpInput!) { signUp(input: $input) { created referralUser { id } } }',
    { input: { campaignId: campaigns.nodes[0]?.id, email, firstName: 'Test', lastName: 'Person' } },
    z.object({
      signUp: z.object({ created: z.boolean(), referralUser: z.object({ id: z.string() }) }),
    }),
  );
  return { id: payload.referralUser.id, created: payload.created };
}

const Place = z.object({ pipedriveId: z.string(), pipedriveUrl: z.string() }).nullable();

async function deliveryOf(id: string, state: string) {
  const graph = await manifold.graph();
  const { referralUser } = await graph(
    'query ($id: ID!) { referralUser(id: $id) { delivery { state reason person { pipedriveId pipedriveUrl } lead { pipedriveId pipedriveUrl } } } }',
    { id },
    z.object({
      referralUser: z.object({
        delivery: z.object({
          state: z.string(),
          reason: z.string().nullable(),
          person: Place,
          lead: Place,
        }),
      }),
    }),
  );
  expect(referralUser.delivery).toMatchObject({ state });
  return referralUser.delivery;
}

async function leadsOf(id: string) {
  const { person } = await deliveryOf(id, 'DELIVERED');
  const { data } = Leads.parse(
    await manifold.pipedrive(`/api/v1/leads?person_id=${person?.pipedriveId}`),
  );
  return data;
}
