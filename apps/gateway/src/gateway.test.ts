import { captureLog, eventually, startTestNats } from '@manifold/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  composeLibrary,
  key,
  other,
  privateKey,
  startDoorkeeper,
  startFixture,
} from '../test/library.ts';
import { z } from 'zod';
import { createClient, signedIn } from '../test/client.ts';
import { startGateway } from './start.ts';

const { log, lines } = captureLog();
const { nats, stop: stopNats } = await startTestNats();
const { door, stop: stopDoor } = startDoorkeeper(nats, log);
const books = await startFixture('books', log);
let reviews = await startFixture('reviews', log);
const gateway = await startGateway({
  supergraphSdl: composeLibrary(),
  serviceUrls: { books: books.url, reviews: reviews.url },
  privateKey,
  corsOrigins: ['https://app.example.com'],
  nats,
  host: '127.0.0.1',
  port: 0,
  log,
  timeoutMs: 700,
});
const base = `http://127.0.0.1:${gateway.port}`;
const { send, ask } = createClient(base);

beforeAll(() => nats.flush());
afterAll(async () => {
  await gateway.stop();
  await Promise.all([books.stop(), reviews.stop(), stopDoor()]);
  await stopNats();
});

describe('who may ask', () => {
  test.each([
    ['no key', {}],
    ['an unknown key', { authorization: 'Bearer mf_somebody-elses-key-or-nobodys' }],
    ['something that is no key', { authorization: 'Basic abc' }],
    [
      'a workspace the key does not open',
      { authorization: `Bearer ${key}`, 'x-workspace': 'ws_1' },
    ],
  ])('%s is answered with 401 and the way out', async (_, headers) => {
    const { status, body } = await send({ query: '{ reviewer }' }, headers);

    expect(status).toBe(401);
    expect(body.errors).toEqual([
      {
        message: expect.any(String),
        extensions: {
          code: 'UNAUTHENTICATED',
          reason: expect.stringMatching(/not_signed_in|workspace_not_chosen/),
          fix: expect.any(String),
          correlationId: expect.any(String),
        },
      },
    ]);
  });

  test.each([
    ['no key', undefined, 'The request carries no API key'],
    ['no Bearer', 'Basic abc', 'The request carries no API key'],
    ['an empty key', 'Bearer ', 'The request carries no API key'],
    ['a short key', 'Bearer wrong', 'This API key is not known or was revoked'],
    ['a key with spaces', 'Bearer one two', 'This API key is not known or was revoked'],
  ])('%s is told what is wrong with it', async (_, authorization, message) => {
    const headers = authorization === undefined ? undefined : { authorization };
    const { status, body } = await send({ query: '{ reviewer }' }, headers);

    expect(status).toBe(401);
    expect(body.errors[0]).toMatchObject({
      message,
      extensions: { reason: 'not_signed_in', fix: expect.stringContaining('Bearer <key>') },
    });
  });

  test('a key opens its own workspace, the header x-workspace another (WX-20)', async () => {
    expect((await ask('{ caller }')).data.caller).toContain(door.home);
    const headers = { 'x-workspace': other };
    expect((await ask('{ caller }', { headers })).data.caller).toContain(other);
  });

  test('a known key is asked for once in ten seconds', async () => {
    await ask('{ reviewer }');
    const before = door.asked;

    await Promise.all([ask('{ reviewer }'), ask('{ reviewer }'), ask('{ reviewer }')]);

    expect(door.asked).toBe(before);
  });

  test('a revoked key ends at once', async () => {
    await ask('{ reviewer }');
    door.revoked = true;
    nats.publish(`workspaces.api_key_revoked.v1.${door.home}`, '{}');

    await eventually(async () => {
      expect((await send({ query: '{ reviewer }' }, signedIn())).status).toBe(401);
    });
    door.revoked = false;
    await eventually(async () => {
      expect((await send({ query: '{ reviewer }' }, signedIn())).status).toBe(200);
    });
  });
});

describe('one graph', () => {
  test('a list is joined over services in one answer', async () => {
    expect((await ask('{ books { title stars } }')).data.books).toEqual([
      { title: 'Emma', stars: 5 },
      { title: 'Ulysses', stars: 3 },
    ]);
  });

  test('a caller may read the schema', async () => {
    const { data } = await ask('{ __schema { queryType { name } } }');
    expect(data.__schema.queryType.name).toBe('Query');
  });

  test('the correlation id of the caller reaches the service and comes back', async () => {
    const headers = { 'x-correlation-id': 'order-17' };
    const { response, data } = await ask('{ caller }', { headers });

    expect(data.caller).toContain('order-17');
    expect(response.headers.get('x-correlation-id')).toBe('order-17');
  });

  test('a correlation id of other characters is replaced', async () => {
    const headers = { 'x-correlation-id': 'a b' };
    const { response } = await ask('{ reviewer }', { headers });

    expect(response.headers.get('x-correlation-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('what goes wrong', () => {
  test('a refusal of a service reaches the client whole', async () => {
    const { body } = await ask('{ refused }');

    expect(body.errors[0]).toMatchObject({
      message: 'The library is closed',
      extensions: {
        code: 'PRECONDITION_FAILED',
        reason: 'connection_disabled',
        field: 'input.day',
        fix: 'Come back on Monday.',
        service: 'books',
      },
    });
  });

  test('a bug in a service shows nothing of itself, but what to ask about', async () => {
    const headers = { 'x-correlation-id': 'ticket-4' };
    const { body } = await ask('{ broken }', { headers });

    expect(body.errors[0].message).toBe('Internal server error');
    expect(body.errors[0].extensions).toEqual({
      code: 'INTERNAL_SERVER_ERROR',
      reason: 'handler_failed',
      correlationId: 'ticket-4',
    });
    expect(JSON.stringify(body)).not.toMatch(/secret|vault|5432|at file/);
  });

  test('what is masked is logged with its place, what is told is not', async () => {
    const logged = async (query: string) => {
      const before = lines.length;
      await ask(query, { headers: { 'x-correlation-id': 'ticket-5' } });
      return lines
        .slice(before)
        .map((line): unknown => JSON.parse(line))
        .filter((line) => z.object({ msg: z.literal('operation failed') }).safeParse(line).success);
    };

    expect(await logged('{ refused }')).toEqual([]);
    expect(await logged('{ nothing }')).toEqual([]);
    const [line, ...rest] = await logged('{ again: broken }');
    expect(rest).toEqual([]);
    expect(line).toMatchObject({
      correlationId: 'ticket-5',
      failure: {
        kind: 'GraphQLError',
        code: 'INTERNAL_SERVER_ERROR',
        service: 'books',
        path: 'again',
      },
    });
    expect(line).not.toHaveProperty('err');
  });

  test.each([
    ['two operations and no name', { query: 'query A { reviewer } query B { reviewer }' }],
    ['an unknown name', { query: 'query A { reviewer }', operationName: 'C' }],
    ['a subscription', { query: 'subscription { bookChanged { id } }' }],
  ])('%s is refused as the caller’s mistake', async (_, sent) => {
    const { status, body } = await send(sent, signedIn());

    expect(status).toBe(400);
    expect(body.errors).toEqual([
      {
        message: expect.any(String),
        extensions: {
          code: 'BAD_USER_INPUT',
          reason: 'invalid_input',
          fix: expect.any(String),
          correlationId: expect.any(String),
        },
      },
    ]);
  });

  test.each([
    [
      'a word that an enum does not have',
      { kind: 'DOG' },
      { field: 'kind', fix: expect.stringMatching(/^Use one of PERSON, ORGANIZATION, DEAL, /) },
    ],
    ['a variable left out', {}, { field: 'kind', fix: expect.any(String) }],
    [
      'what only a service can read',
      { kind: 'DEAL', since: 'yesterday' },
      { field: 'since', fix: 'Give a time such as 2026-03-01T12:00:00Z.' },
    ],
  ])('%s is refused with its place and the way out', async (_, variables, told) => {
    const query =
      'query ($kind: PipedriveObject!, $since: DateTime) { about(kind: $kind, since: $since) }';
    const { body } = await send({ query, variables }, signedIn());

    expect(body.errors).toHaveLength(1);
    expect(body.errors[0].extensions).toMatchObject({
      ...{ code: 'BAD_USER_INPUT', reason: 'invalid_input' },
      ...told,
    });
    expect(JSON.stringify(body)).not.toMatch(/DOG|yesterday/);
  });

  test('of several operations the named one is answered', async () => {
    const query = 'query A { reviewer } query B { books { title } }';
    const { body } = await send({ query, operationName: 'A' }, signedIn());
    expect(body.data).toEqual({ reviewer: 'Ada' });
  });

  test('how the gateway filled a hole stays its own affair', async () => {
    const { body } = await ask('{ book(id: "lost") { pages } }');
    expect(body).toEqual({ data: { book: null }, errors: [] });
  });

  test('a service that is late is named, and the rest is answered', async () => {
    const { body } = await ask('{ slow reviewer }');

    expect(body.data).toEqual({ slow: null, reviewer: 'Ada' });
    expect(body.errors[0].extensions).toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
      reason: 'service_unavailable',
      service: 'books',
    });
  });

  test('a service that is away is named without its address', async () => {
    await reviews.stop();

    const { body } = await ask('{ books { title stars } }');

    expect(body.data.books).toEqual([
      { title: 'Emma', stars: null },
      { title: 'Ulysses', stars: null },
    ]);
    expect(body.errors[0]).toMatchObject({
      message: 'The reviews service is not available',
      extensions: { code: 'SERVICE_UNAVAILABLE', service: 'reviews' },
    });
    expect(JSON.stringify(body)).not.toMatch(/127\.0\.0\.1|ECONN|http:/);
    const ready = await fetch(`${base}/readyz`);
    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({ status: 'ready', missing: [], away: ['reviews'] });
  });
});

describe('pages', () => {
  test('the explorer and everything it loads come from here', async () => {
    const page = await fetch(base);
    const html = await page.text();
    const paths = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path);

    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(paths.length).toBeGreaterThan(4);
    for (const path of paths) {
      const file = await fetch(`${base}${path}`);
      expect({ path, status: file.status }).toEqual({ path, status: 200 });
      expect((await file.text()).length).toBeGreaterThan(100);
    }
  });

  test('only pages of listed origins may call from a browser', async () => {
    const asked = (origin: string) =>
      fetch(`${base}/graphql`, { method: 'OPTIONS', headers: { origin } });

    const listed = await asked('https://app.example.com');
    expect(listed.status).toBe(204);
    expect(listed.headers.get('access-control-allow-origin')).toBe('https://app.example.com');
    const unlisted = await asked('https://evil.example.com');
    expect(unlisted.status).toBe(403);
    expect(unlisted.headers.get('access-control-allow-origin')).toBeNull();
  });
});

test('no key is ever written to the log', () => {
  expect(lines.length).toBeGreaterThan(0);
  expect(lines.join('\n')).not.toContain(key);
});

beforeEach(async () => {
  // a test that stopped a service leaves the next one a running one
  const ready: unknown = await (await fetch(`${base}/readyz`)).json();
  if (!Object.hasOwn(Object(ready), 'away')) return;
  reviews = await restart(reviews.url);
});

async function restart(url: string) {
  return startFixture('reviews', log, Number(new URL(url).port));
}
