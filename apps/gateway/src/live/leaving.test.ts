import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { captureLog, eventually, startTestNats } from '@manifold/testing';
import { afterAll, afterEach, expect, test } from 'vitest';
import { signedIn } from '../../test/client.ts';
import { key, questions } from '../../test/library.ts';
import { BOOK, EMMA, startLiveLibrary } from '../../test/live-library.ts';

const broker = await startTestNats();
const library = await startLiveLibrary({ nats: broker.nats, log: captureLog().log });

afterEach(async () => {
  await library.leaveAll();
  library.rename('Emma');
});
afterAll(async () => {
  await library.stop();
  await broker.stop();
});

test('a client that left while it was looked at who asks holds no place', async () => {
  const gateway = await library.startOne({ places: { key: 1, workspace: 9, process: 9 } });
  const url = new URL(`${gateway.base}/graphql`);
  url.searchParams.set('query', BOOK);
  url.searchParams.set('variables', JSON.stringify(EMMA.variables));
  const asked = library.door.asked;
  const { promise, resolve: release } = Promise.withResolvers<void>();
  library.door.held = promise;
  const leaving = request(url, { headers: { ...signedIn(), accept: 'text/event-stream' } });
  leaving.on('error', () => undefined);
  leaving.end();
  await eventually(() => expect(library.door.asked).toBe(asked + 1));
  const { socket } = leaving;
  leaving.destroy();
  if (socket && !socket.closed) await once(socket, 'close');
  // the gateway has noticed: what it is asked after the farewell it answers
  expect((await fetch(`${gateway.base}/healthz`)).status).toBe(200);
  release();
  await eventually(async () => {
    const { response } = await library.listen(gateway.base, BOOK, EMMA);
    expect(response.status).toBe(200);
  });
  await gateway.stop();
});

test('a client that takes nothing does not hold up a gateway that stops', async () => {
  const gateway = await library.startOne();
  const body = JSON.stringify({ query: BOOK, ...EMMA });
  const deaf = connect(gateway.port, '127.0.0.1');
  deaf.on('error', () => undefined);
  deaf.write(
    `POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\naccept: text/event-stream\r\n` +
      `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  await once(deaf, 'readable');
  // until it is sent more than the sockets between us hold, which shows in that no more questions come
  let before: number;
  do {
    before = questions.book;
    library.rename(`${'x'.repeat(4_000_000)}${before}`);
    const known = before;
    await eventually(() => expect(questions.book).toBeGreaterThan(known), {
      timeoutMs: 1_500,
    }).catch(() => undefined);
  } while (questions.book > before);
  const began = performance.now();
  await gateway.stop();
  expect(performance.now() - began).toBeLessThan(8_000);
  deaf.destroy();
}, 60_000);
