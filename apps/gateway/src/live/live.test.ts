import { captureLog, eventually, startTestNats } from '@manifold/testing';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { createClient, signedIn } from '../../test/client.ts';
import { other } from '../../test/library.ts';
import { BOOK, EMMA, lastTitle, startLiveLibrary, titles } from '../../test/live-library.ts';

const broker = await startTestNats();
const library = await startLiveLibrary({ nats: broker.nats, log: captureLog().log });
const { nats } = broker;
const { door, rename } = library;
const gateway = await library.startOne();
const { send } = createClient(gateway.base);
const listen = (query: string, options: Parameters<typeof library.listen>[2] = {}) =>
  library.listen(gateway.base, query, options);

afterEach(async () => {
  await library.leaveAll();
  rename('Emma');
});
afterAll(async () => {
  await gateway.stop();
  await library.stop();
  await broker.stop();
});

describe('following', () => {
  test('shows how things are at once, and again after each event', async () => {
    const listener = await listen(BOOK, EMMA);
    expect(listener.response.headers.get('content-type')).toContain('text/event-stream');
    await eventually(() =>
      expect(listener.heard.results).toEqual([
        { data: { bookChanged: { title: 'Emma', stars: 5 } }, errors: [] },
      ]),
    );

    rename('Persuasion');

    await eventually(() => expect(titles(listener)).toEqual(['Emma', 'Persuasion']));
    expect(listener.heard).toMatchObject({ completed: false, ended: false });
  });

  test('another name, fragments and variables are kept', async () => {
    const listener = await listen(
      `subscription Mine($id: ID, $full: Boolean!) { mine: bookChanged(id: $id) { ...Whole } }
       fragment Whole on Book { title stars @include(if: $full) }`,
      { variables: { id: 'b1', full: false } },
    );
    await eventually(() =>
      expect(listener.heard.results[0]?.data).toEqual({ mine: { title: 'Emma' } }),
    );
  });

  test('without an id each thing is shown that an event names', async () => {
    const listener = await listen('subscription { bookChanged { title } }');
    await eventually(() => expect(listener.heard.text).toBe(':\n\n'));

    rename('Sanditon');

    await eventually(() => expect(titles(listener)).toEqual(['Sanditon']));
  });

  test('a field without arguments follows every event', async () => {
    const listener = await listen('subscription { shelfChanged { title } }');
    await eventually(() => expect(listener.heard.results).toHaveLength(1));
    rename('Evelina');
    await eventually(() =>
      expect(listener.heard.results.at(-1)?.data.shelfChanged[0]).toEqual({ title: 'Evelina' }),
    );
  });

  test('events of another thing ask nothing, and the same answer is not sent twice', async () => {
    const one = await listen(BOOK, { variables: { id: 'b2' } });
    const two = await listen(BOOK, EMMA);
    await eventually(() => expect([...titles(one), ...titles(two)]).toEqual(['Ulysses', 'Emma']));
    rename('Emma');
    rename('Cecilia');
    await eventually(() => expect(titles(two)).toEqual(['Emma', 'Cecilia']));
    expect(titles(one)).toEqual(['Ulysses']);
  });

  test('of many events at once the last state is shown, and few answers', async () => {
    const listener = await listen(BOOK, EMMA);
    await eventually(() => expect(titles(listener)).toEqual(['Emma']));
    for (let count = 0; count <= 300; count += 1) rename(`Volume ${count}`);
    await eventually(() => expect(lastTitle(listener)).toBe('Volume 300'));
    expect(titles(listener).length).toBeLessThan(10);
  });

  test('one that is not there is null, and the end', async () => {
    const listener = await listen(BOOK, { variables: { id: 'b9' } });
    await eventually(() => expect(listener.heard).toMatchObject({ completed: true, ended: true }));
    expect(listener.heard.results).toEqual([{ data: { bookChanged: null }, errors: [] }]);
  });

  test('two gateways show the same', async () => {
    const second = await library.startOne();
    const both = [await listen(BOOK, EMMA), await library.listen(second.base, BOOK, EMMA)];
    await eventually(() => expect(both.map(lastTitle)).toEqual(['Emma', 'Emma']));
    rename('Belinda');
    await eventually(() => expect(both.map(lastTitle)).toEqual(['Belinda', 'Belinda']));
    await second.stop();
    // an end without `complete`: the client comes again
    await eventually(() => expect(both[1]?.heard).toMatchObject({ ended: true, completed: false }));
    expect(both[0]?.heard.ended).toBe(false);
  });
});

describe('who may follow', () => {
  test('nobody without a key', async () => {
    const { response } = await listen(BOOK, { headers: {} });
    expect(response.status).toBe(401);
  });

  test('another workspace’s events are not heard', async () => {
    const mine = await listen(BOOK, EMMA);
    const theirs = await listen(BOOK, {
      variables: { id: 'b1' },
      headers: { ...signedIn(), 'x-workspace': other },
    });
    await eventually(() => expect([mine, theirs].map(lastTitle)).toEqual(['Emma', 'Emma']));
    rename('Pamela', other);
    await eventually(() => expect(titles(theirs)).toEqual(['Emma', 'Pamela']));
    rename('Clarissa');
    await eventually(() => expect(titles(mine)).toEqual(['Emma', 'Clarissa']));
    expect(titles(theirs)).toEqual(['Emma', 'Pamela']);
  });

  test('a key that is revoked meanwhile ends it, with the reason', async () => {
    const listener = await listen(BOOK, EMMA);
    await eventually(() => expect(titles(listener)).toEqual(['Emma']));
    door.revoked = true;
    nats.publish(`workspaces.api_key_revoked.v1.${door.home}`, '{}');
    await eventually(() => expect(listener.heard).toMatchObject({ completed: true, ended: true }));
    expect(listener.heard.results.at(-1)?.errors[0].extensions.code).toBe('UNAUTHENTICATED');
    door.revoked = false;
    nats.publish(`workspaces.api_key_revoked.v1.${door.home}`, '{}');
    await eventually(async () =>
      expect((await send({ query: '{ reviewer }' }, signedIn())).status).toBe(200),
    );
  });
});

describe('what is asked', () => {
  test('a subscription without the header is told how', async () => {
    const { status, body } = await send({ query: BOOK }, signedIn());
    expect(status).toBe(400);
    expect(body.errors[0].extensions.fix).toContain('text/event-stream');
  });

  test.each([
    ['an unknown field', 'subscription { nothing }', 'GRAPHQL_VALIDATION_FAILED'],
    ['what cannot be read', 'subscription { ', 'GRAPHQL_PARSE_FAILED'],
    [
      'two fields',
      'subscription { bookChanged { id } shelfChanged { id } }',
      'GRAPHQL_VALIDATION_FAILED',
    ],
    [
      'more than it may hold',
      `subscription { bookChanged { ${Array.from({ length: 31 }, (_, i) => `a${i}: id`).join(' ')} } }`,
      'GRAPHQL_VALIDATION_FAILED',
    ],
  ])('%s is refused in the stream', async (_, query, code) => {
    const { heard } = await listen(query);
    await eventually(() => expect(heard.completed).toBe(true));
    expect(heard.results[0]?.errors[0].extensions.code).toBe(code);
  });

  test.each([
    ['a fragment', 'subscription { ...F } fragment F on Subscription { bookChanged { id } }'],
    ['a condition', 'subscription { bookChanged @include(if: true) { id } }'],
  ])('%s in the first place is refused', async (_, query) => {
    const { status, body } = await send(
      { query },
      { ...signedIn(), accept: 'text/event-stream, application/json' },
    );
    expect(status).toBe(400);
    expect(body.errors[0].message).toContain('exactly one field');
  });

  test('of several operations the named one is followed', async () => {
    const query = `subscription A($id: ID) { bookChanged(id: $id) { title } } query B { reviewer }`;
    const unnamed = await listen(query, EMMA);
    await eventually(() => expect(unnamed.heard.completed).toBe(true));
    expect(unnamed.heard.results[0]?.errors[0].extensions.code).toBe('BAD_USER_INPUT');
    const named = await listen(query, { ...EMMA, operationName: 'A' });
    await eventually(() => expect(titles(named)).toEqual(['Emma']));
  });

  test('a variable of the wrong type is refused', async () => {
    const { response } = await listen(BOOK, { variables: { id: { not: 'an id' } } });
    expect(response.status).toBe(400);
  });

  test('a query can be answered in a stream, once, and by GET only a subscription', async () => {
    const query = await listen('{ book(id: "b1") { title } }');
    await eventually(() => expect(query.heard.completed).toBe(true));
    expect(query.heard.results).toEqual([{ data: { book: { title: 'Emma' } }, errors: [] }]);

    const got = await listen(BOOK, { variables: { id: 'b1' }, method: 'GET' });
    await eventually(() => expect(titles(got)).toEqual(['Emma']));
    const asked = await listen('{ books { title } }', { method: 'GET' });
    expect(asked.response.status).toBe(405);
  });

  test('a client that takes JSON as well is answered a query in JSON', async () => {
    const headers = { ...signedIn(), accept: 'application/json, text/event-stream' };
    const { status, body } = await send({ query: '{ reviewer }' }, headers);
    expect([status, body.data]).toEqual([200, { reviewer: 'Ada' }]);
  });
});
