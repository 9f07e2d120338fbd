import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '@manifold/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { type Installation, removeInstallation, startInstallation } from '../src/installation.ts';

let manifold: Installation;
beforeAll(async () => {
  manifold = await startInstallation({ env: { DEMO_PERSONS: '40', DEMO_ORGANIZATIONS: '10' } });
  await manifold.printed('The demo is complete', 120_000);
}, 240_000);
afterAll(async () => {
  await manifold.stop();
  await removeInstallation(manifold);
}, 60_000);

const Refused = z.object({
  errors: z.array(
    z.object({
      message: z.string(),
      extensions: z.looseObject({
        code: z.string(),
        reason: z.string().optional(),
        field: z.string().optional(),
        fix: z.string().optional(),
      }),
    }),
  ),
});

test('an OAuth callback with a wrong state connects nothing and says what to do', async () => {
  const { services } = await manifold.endpoints();
  const before = await connectionCount();
  const answer = await fetch(
    `${services['connections']?.url}/oauth/callback?code=abc&state=not-one-of-ours`,
  );
  expect(answer.status).toBe(400);
  expect(await answer.text()).toMatch(/begin|start|again/i);
  expect(await connectionCount()).toBe(before);
});

test('a request without a key is refused with how to send one', async () => {
  const { gateway } = await manifold.endpoints();
  const answer = await fetch(gateway, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"query":"{ viewer { role } }"}',
  });
  expect(answer.status).toBe(401);
  const { errors } = Refused.parse(await answer.json());
  expect(errors[0]?.extensions).toMatchObject({
    code: 'UNAUTHENTICATED',
    fix: expect.stringContaining('Authorization'),
  });
});

test('a mutation on another workspace’s campaign is refused like one on a missing campaign', async () => {
  const id = await firstIdOf('campaigns');
  const ask = async (campaignId: string) => {
    const answer = await raw(
      'outsider',
      'mutation ($input: SignUpInput!) { signUp(input: $input) { created } }',
      { input: { campaignId, email: 'a@example.org', firstName: 'A' } },
    );
    const { errors } = Refused.parse(answer);
    const { correlationId: _, ...extensions } = errors[0]?.extensions ?? { correlationId: '' };
    return { message: errors[0]?.message.replaceAll(campaignId, '<id>'), extensions };
  };
  expect(await ask(id)).toEqual(await ask(`cp_${'0'.repeat(32)}`));
  expect(await ask(id)).toMatchObject({
    extensions: { code: 'NOT_FOUND', reason: 'record_not_found' },
  });
});

test('a mapping with an unknown custom field is refused with the row, the cause and the fix', async () => {
  const connectionId = await firstIdOf('connections');
  const answer = await raw(
    'owner',
    'mutation ($input: SaveFieldMappingInput!) { saveFieldMapping(input: $input) { fieldMapping { id } } }',
    {
      input: {
        name: 'Wrong',
        purpose: 'CONTACTS_FROM_PIPEDRIVE',
        connectionId,
        rows: [
          {
            source: { object: 'PERSON', field: 'f'.repeat(40) },
            target: { object: 'CONTACT', field: 'nickname', type: 'TEXT' },
          },
        ],
      },
    },
  );
  const { errors } = Refused.parse(answer);
  expect(errors[0]?.extensions).toMatchObject({
    code: 'BAD_USER_INPUT',
    reason: 'unknown_field',
    fix: expect.any(String),
  });
});

test('a malformed or forged webhook is refused and changes nothing', async () => {
  const { services } = await manifold.endpoints();
  const before = await contactCount();
  const forged = await fetch(`${services['connections']?.url}/webhooks/${'0'.repeat(43)}`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa('a:b')}` },
    body: '{"meta":{"action":"delete","entity":"person","entity_id":"1"},"data":null}',
  });
  expect([401, 404]).toContain(forged.status);
  expect(await contactCount()).toBe(before);
});

test('while Pipedrive is unreachable a sign-up is kept, says so, and arrives afterwards once (RF-31)', async () => {
  const { sandboxPid } = await manifold.endpoints();
  process.kill(sandboxPid, 'SIGSTOP');
  let id: string;
  try {
    id = await signUp('unreachable@example.net');
    await eventually(
      async () => expect(await stepReasonsOf(id)).toContain('pipedrive_unreachable'),
      {
        timeoutMs: 40_000,
      },
    );
    expect(await deliveryState(id)).toBe('QUEUED');
  } finally {
    process.kill(sandboxPid, 'SIGCONT');
  }
  await eventually(async () => expect(await deliveryState(id)).toBe('DELIVERED'), {
    timeoutMs: 90_000,
  });
  expect(await leadTitlesOf(id)).toHaveLength(1);
}, 150_000);

test('a connection to a Pipedrive that is not there is refused with cause and fix', async () => {
  const { sandboxPid } = await manifold.endpoints();
  process.kill(sandboxPid, 'SIGSTOP');
  try {
    const answer = await raw(
      'owner',
      'mutation ($input: ConnectWithApiTokenInput!) { connectWithApiToken(input: $input) { connection { id } } }',
      { input: { apiToken: 'f'.repeat(40), kind: 'PERSONAL' } },
    );
    const { errors } = Refused.parse(answer);
    expect(errors[0]?.extensions).toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
      reason: 'pipedrive_unreachable',
    });
    expect(JSON.stringify(answer)).not.toContain('f'.repeat(40));
  } finally {
    process.kill(sandboxPid, 'SIGCONT');
  }
}, 60_000);

test('while NATS is unreachable answers are errors that name no address, and nothing accepted is lost', async () => {
  const pid = await natsPid();
  const early = await signUp('before-nats@example.net');
  process.kill(pid, 'SIGSTOP');
  let late: string | undefined;
  try {
    // the key may still be in the gateway's short cache: then the sign-up is stored and waits
    const answer = await raw('owner', SIGN_UP, {
      input: await signUpInput('during-nats@example.net'),
    });
    const refused = Refused.safeParse(answer);
    if (refused.success) {
      expect(refused.data.errors[0]?.extensions.code).toBe('SERVICE_UNAVAILABLE');
      expect(JSON.stringify(answer)).not.toMatch(/127\.0\.0\.1|nats:/);
    } else late = SignUp.parse(answer).data.signUp.referralUser.id;
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  for (const id of [early, late].filter((each) => each !== undefined)) {
    await eventually(async () => expect(await deliveryState(id)).toBe('DELIVERED'), {
      timeoutMs: 90_000,
    });
    expect(await leadTitlesOf(id)).toHaveLength(1);
  }
}, 180_000);

test('no token, key or e-mail of all this stands in any log', async () => {
  const { apiKey, users } = await manifold.endpoints();
  const folder = join(manifold.home, 'logs');
  const logs = await Promise.all(
    (await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')),
  );
  const text = logs.join('\n');
  expect(text.length).toBeGreaterThan(0);
  for (const secret of [apiKey, ...Object.values(users).map((user) => user.apiKey)]) {
    expect(text).not.toContain(secret);
  }
  expect(text).not.toMatch(/@example\.(net|org|com)/);
});

async function raw(user: string, query: string, variables: unknown): Promise<unknown> {
  const { gateway, users } = await manifold.endpoints();
  const response = await fetch(gateway, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${users[user]?.apiKey}`,
    },
    body: JSON.stringify({ query, variables }),
  });
  return response.json();
}

async function firstIdOf(list: string): Promise<string> {
  const graph = await manifold.graph();
  const data = await graph(
    `{ list: ${list}(first: 1) { nodes { id } } }`,
    {},
    z.object({ list: z.object({ nodes: z.array(z.object({ id: z.string() })).min(1) }) }),
  );
  return data.list.nodes[0]?.id ?? '';
}

const countOf = async (list: string): Promise<number> => {
  const graph = await manifold.graph();
  const data = await graph(
    `{ list: ${list}(first: 1) { totalCount } }`,
    {},
    z.object({ list: z.object({ totalCount: z.int() }) }),
  );
  return data.list.totalCount;
};
const contactCount = () => countOf('contacts');
const connectionCount = () => countOf('connections');

const SIGN_UP =
  'mutation ($input: SignUpInput!) { signUp(input: $input) { created referralUser { id } } }';
const SignUp = z.object({
  data: z.object({ signUp: z.object({ referralUser: z.object({ id: z.string() }) }) }),
});

const signUpInput = async (email: string) => ({
  campaignId: await campaignId(),
  email,
  firstName: 'Test',
});

let knownCampaign: string | undefined;
async function campaignId(): Promise<string> {
  knownCampaign ??= await firstIdOf('campaigns');
  return knownCampaign;
}

async function signUp(email: string): Promise<string> {
  const answer = await raw('owner', SIGN_UP, { input: await signUpInput(email) });
  return SignUp.parse(answer).data.signUp.referralUser.id;
}

const Delivery = z.object({
  referralUser: z.object({
    delivery: z.object({
      state: z.string(),
      person: z.object({ pipedriveId: z.string() }).nullable(),
    }),
  }),
});

async function deliveryOf(id: string) {
  const graph = await manifold.graph();
  const { referralUser } = await graph(
    'query ($id: ID!) { referralUser(id: $id) { delivery { state person { pipedriveId } } } }',
    { id },
    Delivery,
  );
  return referralUser.delivery;
}

const deliveryState = async (id: string) => (await deliveryOf(id)).state;

async function stepReasonsOf(id: string): Promise<(string | null)[]> {
  const graph = await manifold.graph();
  const { writeRequests } = await graph(
    'query ($id: String!) { writeRequests(filter: { cause: { id: $id } }, first: 1) { nodes { steps { reason } } } }',
    { id },
    z.object({
      writeRequests: z.object({
        nodes: z.array(z.object({ steps: z.array(z.object({ reason: z.string().nullable() })) })),
      }),
    }),
  );
  return writeRequests.nodes.flatMap(({ steps }) => steps.map(({ reason }) => reason));
}

async function leadTitlesOf(id: string): Promise<string[]> {
  const { person } = await deliveryOf(id);
  const { data } = z
    .object({ data: z.array(z.object({ title: z.string() })) })
    .parse(await manifold.pipedrive(`/api/v1/leads?person_id=${person?.pipedriveId}`));
  return data.map(({ title }) => title);
}

async function natsPid(): Promise<number> {
  return Number(await readFile(join(manifold.home, 'nats', 'nats-server.pid'), 'utf8'));
}
