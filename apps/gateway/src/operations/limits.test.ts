import { silentLog as log, startTestNats } from '@manifold/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClient, signedIn } from '../../test/client.ts';
import { composeLibrary, privateKey, startDoorkeeper, startFixture } from '../../test/library.ts';
import { startGateway } from '../start.ts';

const { nats, stop: stopNats } = await startTestNats();
const { stop: stopDoor } = startDoorkeeper(nats, log);
const books = await startFixture('books', log);
const reviews = await startFixture('reviews', log);
const gateway = await startGateway({
  supergraphSdl: composeLibrary(),
  serviceUrls: { books: books.url, reviews: reviews.url },
  privateKey,
  corsOrigins: [],
  nats,
  host: '127.0.0.1',
  port: 0,
  log,
});
const base = `http://127.0.0.1:${gateway.port}`;
const { send, ask } = createClient(base);

beforeAll(() => nats.flush());
afterAll(async () => {
  await gateway.stop();
  await Promise.all([books.stop(), reviews.stop(), stopDoor()]);
  await stopNats();
});

describe('how much may be asked', () => {
  const times = (count: number, text: (n: number) => string) =>
    Array.from({ length: count }, (_, n) => text(n)).join(' ');
  const many = (what: string) => new RegExp(`more than \\d+ ${what}`);

  test.each([
    ['levels', `{ nested ${times(13, () => '{ deeper')} { name } ${times(13, () => '}')} }`],
    ['aliases', `{ books { ${times(31, (n) => `a${n}: title`)} } }`],
    ['aliases', `{ ${times(31, (n) => `t${n}: __typename`)} }`],
    ['root fields', `{ ...F } fragment F on Query { ${times(21, (n) => `a${n}: reviewer`)} }`],
    ['directives', `{ reviewer ${times(21, () => '@include(if: true)')} }`],
  ])('an operation with too many %s is refused before it runs', async (what, query) => {
    const { body } = await ask(query);
    const found = body.errors.find(({ message }: { message: string }) => many(what).test(message));

    expect(found?.extensions).toMatchObject({
      reason: 'too_many_items',
      fix: expect.any(String),
    });
    expect(body.data).toBeUndefined();
  });

  /** Each fragment spreads the next several times; what stands in the last one follows. */
  const doubling = (type: 'Query' | 'Book', levels: number, width = 2) => {
    const inner = times(
      levels,
      (n) => `fragment F${n} on ${type} { ${times(width, () => `...F${n + 1}`)} }`,
    );
    const start = type === 'Query' ? '{ ...F0 }' : '{ books { ...F0 } }';
    return `${start} ${inner} fragment F${levels} on ${type}`;
  };

  test.each([
    ['40 fragments that double', `${doubling('Query', 40)} { reviewer }`, 'root fields'],
    ['7 that multiply by 20', `${doubling('Book', 7, 20)} { title }`, 'fields'],
  ])('%s are counted in no time and refused', async (_, query, what) => {
    const began = performance.now();
    const { body } = await ask(query);

    expect(performance.now() - began).toBeLessThan(1_000);
    const messages = body.errors.map(({ message }: { message: string }) => message);
    expect(messages).toContainEqual(expect.stringMatching(many(what)));
    expect(body.data).toBeUndefined();
  });

  test.each([
    ['end in themselves', '{ ...F0 }'],
    ['end in themselves, with fields', '{ a: reviewer @skip(if: true) ...F0 ...F20 }'],
    ['end in nothing', '{ ...F41 }'],
  ])('40 fragments that double and %s are refused in no time', async (_, end) => {
    const began = performance.now();
    const { body } = await ask(`${doubling('Query', 40)} ${end}`);

    expect(performance.now() - began).toBeLessThan(1_000);
    const codes = body.errors.map(({ extensions }: { extensions: { code: string } }) => extensions);
    expect(codes).toContainEqual(
      expect.objectContaining({ code: 'GRAPHQL_VALIDATION_FAILED', reason: 'invalid_input' }),
    );
    expect(body.data).toBeUndefined();
  });

  test('a fragment spread in many places is answered', async () => {
    const { data } = await ask(
      '{ ...F books { ...B } } fragment F on Query { reviewer ...G } fragment G on Query { a: reviewer } fragment B on Book { title }',
    );
    expect(data).toMatchObject({ reviewer: 'Ada', a: 'Ada', books: [{ title: 'Emma' }, {}] });
  });

  test('an operation with too many tokens is not even parsed', async () => {
    const { body } = await ask(`{ books { ${times(2_100, () => 'title')} } }`);
    expect(body.errors[0].extensions.code).toBe('GRAPHQL_PARSE_FAILED');
  });

  test('a body over 256 KiB is refused, announced or not', async () => {
    const large = JSON.stringify({ query: `{ reviewer } #${'x'.repeat(300_000)}` });
    const headers = { ...signedIn(), 'content-type': 'application/json' };
    const init = { method: 'POST', headers };
    const pieces = new ReadableStream<Uint8Array>({
      start: (controller) => {
        controller.enqueue(new TextEncoder().encode(large));
        controller.close();
      },
    });

    expect((await fetch(`${base}/graphql`, { ...init, body: large })).status).toBe(413);
    const unannounced = { ...init, body: pieces, duplex: 'half' as const };
    expect((await fetch(`${base}/graphql`, unannounced)).status).toBe(413);
  });

  test.each([
    ['several operations at once', [{ query: '{ reviewer }' }]],
    ['variables nested without end', { query: '{ reviewer }', variables: nest(40) }],
    ['no operation', { nothing: true }],
  ])('%s are refused', async (_, sent) => {
    const { status, body } = await send(sent, signedIn());

    expect(status).toBe(400);
    expect(body.errors[0].extensions).toMatchObject({ code: 'BAD_USER_INPUT' });
  });

  test('an operation by GET or as a simple form is refused (CSRF)', async () => {
    const headers = { ...signedIn(), 'content-type': 'text/plain' };
    const query = JSON.stringify({ query: '{ reviewer }' });

    const url = `${base}/graphql?query=%7Breviewer%7D`;
    expect((await fetch(url, { headers: signedIn() })).status).toBe(405);
    const form = await fetch(`${base}/graphql`, { method: 'POST', headers, body: query });
    expect(form.status).toBe(400);
  });
});

function nest(levels: number): Record<string, unknown> {
  return levels === 0 ? {} : { inner: nest(levels - 1) };
}
