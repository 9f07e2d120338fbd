import { once } from 'node:events';
import { connect } from 'node:net';
import { captureLog, eventually, startTestNats } from '@manifold/testing';
import { afterAll, afterEach, expect, test } from 'vitest';
import { key } from '../../test/library.ts';
import { BOOK, codes, EMMA, lastTitle, startLiveLibrary, titles } from '../../test/live-library.ts';

const broker = await startTestNats();
const library = await startLiveLibrary({ nats: broker.nats, log: captureLog().log });
const { rename } = library;

afterEach(async () => {
  await library.leaveAll();
  rename('Emma');
});
afterAll(async () => {
  await library.stop();
  await broker.stop();
});

test('a key has so many places, and a place that is left is free', async () => {
  const gateway = await library.startOne({ places: { key: 1, workspace: 9, process: 9 } });
  const first = await library.listen(gateway.base, BOOK, EMMA);
  const second = await library.listen(gateway.base, BOOK, EMMA);
  expect(second.response.status).toBe(429);
  await eventually(() => expect(second.heard.text).toContain('too_many_items'));

  await first.leave();

  await eventually(async () => {
    const third = await library.listen(gateway.base, BOOK, EMMA);
    expect(third.response.status).toBe(200);
  });
  await gateway.stop();
});

test('a client that takes nothing is left, and its place is free', async () => {
  const places = { key: 1, workspace: 9, process: 9 };
  const gateway = await library.startOne({ places, stuckMs: 200 });
  const body = JSON.stringify({ query: BOOK, ...EMMA });
  const deaf = connect(gateway.port, '127.0.0.1');
  deaf.on('error', () => undefined);
  deaf.write(
    `POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\naccept: text/event-stream\r\n` +
      `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  const isFree = async () => {
    const { response, leave } = await library.listen(gateway.base, BOOK, EMMA);
    await leave();
    return response.status === 200;
  };
  // something has come, and it is never read
  await once(deaf, 'readable');
  expect(await isFree()).toBe(false);

  await eventually(
    async () => {
      // more than the sockets between us hold, and another each time
      rename(`${'x'.repeat(4_000_000)}${Date.now()}`);
      expect(await isFree()).toBe(true);
    },
    { timeoutMs: 25_000 },
  );
  deaf.destroy();
  await gateway.stop();
}, 60_000);

test('after its time a stream ends without being complete, so that the client comes again', async () => {
  const gateway = await library.startOne({ lifetimeMs: 2_000 });
  const listener = await library.listen(gateway.base, BOOK, EMMA);
  await eventually(() => expect(listener.heard.ended).toBe(true), { timeoutMs: 10_000 });
  expect(titles(listener)).toEqual(['Emma']);
  expect(listener.heard.completed).toBe(false);
  await gateway.stop();
});

test('while the broker is away it is said once, and afterwards nothing is missing', async () => {
  const gateway = await library.startOne();
  const listener = await library.listen(gateway.base, BOOK, EMMA);
  await eventually(() => expect(titles(listener)).toEqual(['Emma']));

  await broker.kill();
  await eventually(() => expect(codes(listener)).toContain('SERVICE_UNAVAILABLE'));
  rename('Shirley');
  await broker.restart();

  await eventually(() => expect(lastTitle(listener)).toBe('Shirley'), { timeoutMs: 15_000 });
  rename('Villette');
  await eventually(() => expect(lastTitle(listener)).toBe('Villette'), { timeoutMs: 15_000 });
  expect(new Set(codes(listener))).toEqual(new Set(['SERVICE_UNAVAILABLE']));
  expect(listener.heard.ended).toBe(false);
  await gateway.stop();
}, 40_000);

test('a service that is away is asked again until it answers', async () => {
  const gateway = await library.startOne();
  const listener = await library.listen(gateway.base, BOOK, EMMA);
  await eventually(() => expect(titles(listener)).toEqual(['Emma']));
  const { port } = new URL(library.library.url);
  await library.library.stop();
  rename('Agnes Grey');
  await eventually(() => expect(codes(listener)).toEqual(['SERVICE_UNAVAILABLE']));

  await library.startBooks(Number(port));

  await eventually(() => expect(lastTitle(listener)).toBe('Agnes Grey'), { timeoutMs: 15_000 });
  await gateway.stop();
}, 30_000);
