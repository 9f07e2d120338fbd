import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FolderInUse } from '../process/claim.ts';
import { findFreePort, PortTaken } from '../process/port.ts';
import { findNatsServer, type NatsBinary } from './binary.ts';
import type { NatsUser } from './config.ts';
import { type NatsOptions, startNats } from './start.ts';

let root: string;
let binary: NatsBinary;
/** Our own environment must not choose the route. */
const env = {};
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'manifold-test-nats-'));
  binary = await findNatsServer();
}, 200_000);
afterAll(() => rm(root, { recursive: true }));

test('a throw-away server has JetStream and leaves nothing behind', async () => {
  const lines: string[] = [];
  const server = await startNats({ durable: false, env, binary, log: (line) => lines.push(line) });
  const nats = await connect({ servers: server.url });
  await (await jetstreamManager(nats)).streams.add({ name: 'notes', subjects: ['notes.>'] });
  expect((await jetstream(nats).publish('notes.one')).seq).toBe(1);
  await nats.close();

  const folder = String(/Store Directory: "([^"]+)\/nats-/.exec(lines.join('\n'))?.[1]);
  expect(existsSync(folder)).toBe(true);
  await server.stop();
  expect(existsSync(folder)).toBe(false);
});

test('a kept store has its messages after a restart and after a crash, on the same port', async () => {
  const storeDir = await folder();
  const first = await startNats({ storeDir, durable: true, env, binary });
  await inConnection(first.url, async (nats) => {
    await (await jetstreamManager(nats)).streams.add({ name: 'notes', subjects: ['notes.>'] });
    await jetstream(nats).publish('notes.one');
  });
  const second = await first.restart();
  expect(second.port).toBe(first.port);
  await inConnection(second.url, (nats) => jetstream(nats).publish('notes.two'));
  await second.kill();

  const third = await second.restart();
  expect(third.port).toBe(first.port);
  expect(await countOf(third.url)).toBe(2);
  await third.stop();
  const fourth = await startNats({ storeDir, durable: true, env, binary });
  expect(await countOf(fourth.url)).toBe(2);
  await fourth.stop();
});

test('stores of different minor versions lie apart, since an older server must not open a newer one', async () => {
  const storeDir = await folder();
  const server = await startNats({ storeDir, durable: true, env, binary });
  const minor = binary.version.split('.').slice(0, 2).join('.');
  expect(await readdir(storeDir)).toContain(`nats-${minor}`);
  await server.stop();
});

test('a user may do what the lists say, answer what was asked, and no more', async () => {
  const users: NatsUser[] = [
    {
      user: 'orders',
      password: 'o "quoted" $word',
      publish: ['orders.>'],
      subscribe: ['_INBOX_orders.>'],
    },
    { user: 'stock', password: 's', publish: [], subscribe: ['orders.>'], mayReply: true },
  ];
  const server = await startNats({ durable: false, users, env, binary });
  await expect(connect({ servers: server.url })).rejects.toThrow(/authorization/i);
  const [orders, stock] = await Promise.all(
    users.map(({ user, password: pass }) =>
      connect({ servers: server.url, user, pass, inboxPrefix: `_INBOX_${user}` }),
    ),
  );
  if (orders === undefined || stock === undefined) throw new Error('not connected');
  stock.subscribe('orders.ask', { callback: (_, message) => void message.respond('answer') });
  await stock.flush();

  expect((await orders.request('orders.ask')).string()).toBe('answer');
  await expect(refusalOf(orders, () => orders.publish('stock.changed'))).resolves.toMatch(
    /publish/i,
  );
  await expect(refusalOf(stock, () => stock.publish('orders.ask'))).resolves.toMatch(/publish/i);
  await expect(refusalOf(orders, () => void orders.subscribe('orders.>'))).resolves.toMatch(
    /subscription/i,
  );
  await Promise.all([orders.close(), stock.close()]);
  await server.stop();
});

test('a durable server syncs every message, and its file with passwords is for its owner only', async () => {
  const storeDir = await folder();
  const server = await startNats({ storeDir, durable: true, monitorPort: 0, env, binary });
  const answer = await fetch(`${server.monitorUrl}/jsz?config=1`);
  expect(await answer.json()).toMatchObject({ config: { sync_always: true } });
  expect((await stat(join(storeDir, 'nats-server.conf'))).mode & 0o777).toBe(0o600);
  await server.stop();
});

test.each([
  ['port', 'NATS_PORT'],
  ['monitorPort', 'NATS_MONITOR_PORT'],
] as const)(
  'a taken %s is refused by number and variable, and the store is free again',
  async (which, variable) => {
    const port = await findFreePort();
    const neighbour = createServer().listen(port, '127.0.0.1');
    await once(neighbour, 'listening');
    const variables = { portVariable: 'NATS_PORT', monitorPortVariable: 'NATS_MONITOR_PORT' };
    const options: NatsOptions = {
      storeDir: await folder(),
      durable: true,
      env,
      binary,
      ...variables,
      [which]: port,
    };
    const refusal = startNats(options);
    await expect(refusal).rejects.toThrow(PortTaken);
    await expect(refusal).rejects.toThrow(
      `Port ${port} on 127.0.0.1 is taken by another program. Free it, or choose another with ${variable}.`,
    );
    neighbour.close();

    const server = await startNats(options);
    expect([server.url, server.monitorUrl].join()).toContain(`:${port}`);
    await server.stop();
  },
);

test('two servers never share a store', async () => {
  const storeDir = await folder();
  const server = await startNats({ storeDir, durable: true, env, binary });
  await expect(startNats({ storeDir, durable: true, env, binary })).rejects.toThrow(FolderInUse);
  await server.stop();
});

test('NATS_URL is used as it is, and still runs after stop', async () => {
  const existing = await startNats({ durable: false, env, binary });
  const given = await startNats({ durable: true, env: { NATS_URL: existing.url } });
  expect(given).toMatchObject({
    source: 'NATS_URL',
    url: existing.url,
    version: binary.version,
    pid: undefined,
  });
  await given.stop();
  expect(await countOf(existing.url)).toBe(0);
  await existing.stop();
});

test.each([
  ['is too old', 'INFO {"version":"2.9.10","jetstream":true}\r\n', 'is 2.9.10; 2.10 or newer'],
  ['has no JetStream', 'INFO {"version":"2.10.27"}\r\n', 'without JetStream'],
  ['is no NATS server', 'HTTP/1.1 400 Bad Request\r\n', 'does not answer as NATS does'],
  ['hangs up', '', 'does not answer as NATS does'],
])('a NATS_URL whose server %s is refused', async (_, greeting, reason) => {
  const server = createServer((socket) => socket.end(greeting)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  await expect(
    startNats({ durable: true, env: { NATS_URL: `nats://127.0.0.1:${port}` } }),
  ).rejects.toThrow(reason);
  server.close();
});

test.each(['nats://user:hidden-word@host:port', ''.padEnd(3)])(
  'a NATS_URL that is no URL is refused without repeating it: %j',
  async (NATS_URL) => {
    const refusal = startNats({ durable: true, env: { NATS_URL } });
    await expect(refusal).rejects.toThrow('NATS_URL is not a URL');
    await expect(refusal).rejects.not.toThrow('hidden-word');
  },
);

test('a NATS_URL where nobody listens is refused without showing its password', async () => {
  const NATS_URL = `nats://user:hidden-word@127.0.0.1:${await findFreePort()}`;
  const refusal = startNats({ durable: true, env: { NATS_URL } });
  await expect(refusal).rejects.toThrow('ECONNREFUSED');
  await expect(refusal).rejects.not.toThrow('hidden-word');
});

const folder = () => mkdtemp(join(root, 'store-'));

async function inConnection<Result>(
  url: string,
  use: (nats: NatsConnection) => Promise<Result>,
): Promise<Result> {
  const nats = await connect({ servers: url });
  try {
    return await use(nats);
  } finally {
    await nats.close();
  }
}

/** Messages in all streams together. */
const countOf = (url: string): Promise<number> =>
  inConnection(url, async (nats) => {
    let count = 0;
    const { streams } = await jetstreamManager(nats);
    for await (const { state } of streams.list()) count += state.messages;
    return count;
  });

/** What the server says to an act it does not permit. */
async function refusalOf(nats: NatsConnection, act: () => void): Promise<string> {
  const statuses = nats.status()[Symbol.asyncIterator]();
  act();
  for (;;) {
    const { value, done } = await statuses.next();
    if (done) return 'the connection was closed';
    if (value.type === 'error') return value.error.message;
  }
}
