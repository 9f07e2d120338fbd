import { generateKeyPairSync } from 'node:crypto';
import { Identity } from '@manifold/contracts';
import { Refusal } from '@manifold/errors';
import { startHttp } from '@manifold/service';
import { captureLog } from '@manifold/testing';
import { afterAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { IDENTITY_HEADER, signIdentity } from './identity.ts';
import { createSubgraph, mergeResolvers, type RequestContext } from './server.ts';

const { log, lines } = captureLog();
const keys = generateKeyPairSync('ed25519');
const id = (prefix: string) => `${prefix}_${'1'.repeat(32)}`;
const identity = Identity.parse({
  ...{ workspaceId: id('ws'), userId: id('us'), apiKeyId: id('ak'), role: 'VIEWER' },
  entitlements: [],
});
let loadersMade = 0;
const subgraph = await createSubgraph({
  service: 'greetings',
  schemaFiles: [new URL('./fixtures/greetings.graphql', import.meta.url)],
  resolvers: [
    {
      Query: {
        greeting: (_: unknown, __: unknown, { actor, correlationId }: RequestContext) =>
          `${actor.kind} ${actor.id} ${actor.apiKeyId} ${correlationId}`,
        refused: () => {
          throw new Refusal('conflict', 'Already greeted', {
            reason: 'already_signed_up',
            field: 'input.name',
          });
        },
        wrong: () => z.object({ email: z.email(), age: z.int() }).parse({ email: 'x@', age: 1.5 }),
        broken: () => {
          throw new Error('select password from users');
        },
        at: () => new Date('2026-03-01T10:00:00Z'),
        inside: (_: unknown, { object }: { object: string }) => object,
        outside: (_: unknown, { word }: { word: string }) => word,
      },
    },
    {
      Person: {
        __resolveReference: (reference: { id: string }, { workspaceId }: RequestContext) => ({
          id: reference.id,
          workspace: workspaceId,
        }),
      },
    },
  ],
  loaders: () => {
    loadersMade += 1;
    return {};
  },
  publicKey: keys.publicKey,
  log,
});
const routes = { '/graphql': subgraph.handler };
const http = await startHttp({ host: '127.0.0.1', port: 0, routes, checks: {}, log });
const url = `http://127.0.0.1:${http.port}/graphql`;

afterAll(async () => {
  await http.stop();
  await subgraph.stop();
});

describe('only the gateway may ask', () => {
  test.each(['{ greeting }', '{ _service { sdl } }', '{ __schema { types { name } } }'])(
    '%s without a signature is answered with 401 and nothing else',
    async (query) => {
      const response = await fetch(url, { method: 'POST', body: JSON.stringify({ query }) });

      expect(response.status).toBe(401);
      const answer = Answer.parse(await response.json());
      expect(answer.data).toBeUndefined();
      expect(answer.errors[0].extensions).toMatchObject({ code: 'UNAUTHENTICATED' });
    },
  );

  test('another method is refused', async () => {
    expect((await fetch(`${url}?query={greeting}`)).status).toBe(405);
  });

  test('a body over 1 MiB is refused before it is read', async () => {
    const response = await fetch(url, { method: 'POST', body: 'x'.repeat(1_100_000) });
    expect(response.status).toBe(400);
  });
});

describe('a resolver', () => {
  test('knows who asks, and under which correlation id', async () => {
    expect((await ask('{ greeting }')).data.greeting).toBe(
      `user ${identity.userId} ${identity.apiKeyId} c-1`,
    );
  });

  test('gets loaders of its own for each request', async () => {
    const before = loadersMade;
    await ask('{ greeting }');
    await ask('{ greeting }');
    expect(loadersMade).toBe(before + 2);
  });

  test('takes the workspace of a reference from the signature, never from the reference', async () => {
    const text =
      'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Person { workspace } } }';
    const r = [{ __typename: 'Person', id: 'p1', workspace: id('ws').replaceAll('1', '2') }];

    expect((await ask(text, { r })).data._entities).toEqual([{ workspace: identity.workspaceId }]);
  });

  test('says times in UTC', async () => {
    expect((await ask('{ at }')).data.at).toBe('2026-03-01T10:00:00.000Z');
  });
});

test('a kind of record in Pipedrive is in capitals outside and small inside', async () => {
  const text =
    'query ($object: PipedriveObject!) { inside(object: $object) outside(word: "lead") }';

  const { data } = await ask(text, { object: 'ORGANIZATION' });

  expect(data).toEqual({ inside: 'organization', outside: 'LEAD' });
  expect((await ask('{ inside(object: lead) }')).errors).toHaveLength(1);
});

describe('an error', () => {
  test('that is a refusal reaches the client with code, reason and field', async () => {
    expect((await ask('{ refused }')).errors[0]).toMatchObject({
      message: 'Already greeted',
      extensions: { code: 'CONFLICT', reason: 'already_signed_up', field: 'input.name' },
    });
  });

  test('in the input names every field at once, and repeats no value', async () => {
    const [error] = (await ask('{ wrong }')).errors;

    expect(error.extensions.issues.map(({ field }: { field: string }) => field)).toEqual([
      'email',
      'age',
    ]);
    expect(error.message).toBe(
      'Invalid input: email: is not an e-mail address; age: is not a whole number',
    );
    expect(error.extensions).toMatchObject({
      ...{ code: 'BAD_USER_INPUT', reason: 'invalid_input', field: 'email' },
      fix: 'Use an e-mail address, such as ada@example.com.',
    });
    expect(error.extensions.issues[1].fix).toBe('Give a whole number.');
    expect(JSON.stringify(error)).not.toContain('x@');
  });

  test('in the variables names the part at fault and what it takes', async () => {
    const text = 'query ($object: PipedriveObject!) { inside(object: $object) }';
    const [error] = (await ask(text, { object: 'DOG' })).errors;

    expect(error.extensions).toMatchObject({
      ...{ code: 'BAD_USER_INPUT', reason: 'invalid_input', field: 'object' },
      fix: expect.stringMatching(/^Use one of PERSON, /),
    });
    expect(JSON.stringify(error)).not.toContain('DOG');
  });

  test('that is a bug is told in one sentence, and logged', async () => {
    const answer = await ask('{ broken }');

    expect(answer.errors[0].extensions).toEqual({
      code: 'INTERNAL_SERVER_ERROR',
      reason: 'handler_failed',
    });
    expect(JSON.stringify(answer)).not.toContain('password');
    expect(lines.join('\n')).toContain('unexpected error in a resolver');
  });
});

test('two nouns may add to one type, but not the same field', () => {
  const one = { Query: { a: () => 1 } };
  expect(Object.keys(Object(mergeResolvers([one, { Query: { b: () => 2 } }])['Query']))).toEqual([
    'a',
    'b',
  ]);
  expect(() => mergeResolvers([one, { Query: { a: () => 2 } }])).toThrow(
    'Query.a is resolved twice',
  );
});

/** As loose as a client reads it. */
const Answer = z.object({ data: z.any().optional(), errors: z.array(z.any()).default([]) });

async function ask(query: string, variables = {}) {
  const body = JSON.stringify({ query, variables });
  const options = {
    privateKey: keys.privateKey,
    audience: 'greetings',
    body,
    correlationId: 'c-1',
  };
  const headers = { [IDENTITY_HEADER]: await signIdentity(identity, options) };
  return Answer.parse(await (await fetch(url, { method: 'POST', headers, body })).json());
}
