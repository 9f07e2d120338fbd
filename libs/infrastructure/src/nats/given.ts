import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import type { NatsServer } from './server.ts';
import { isNewEnough } from './version.ts';

const GREETING_WITHIN_MS = 10_000;
const DEFAULT_PORT = 4222;

/** Checks that the server behind `NATS_URL` is new enough and has JetStream. The first of several counts. */
export async function useGivenNats(given: string): Promise<NatsServer> {
  const first = given.split(',')[0]?.trim() ?? '';
  const text = first.includes('://') ? first : `nats://${first}`;
  // the parser's own error would carry the password
  if (!URL.canParse(text) || new URL(text).hostname === '') {
    throw new Error('NATS_URL is not a URL such as nats://host:4222.');
  }
  const address = new URL(text);
  const port = Number(address.port || DEFAULT_PORT);
  const { version, jetstream } = await greeting(address.hostname, port);
  if (!isNewEnough(version))
    throw new Error(`The server of NATS_URL is ${version}; 2.10 or newer is needed.`);
  if (!jetstream)
    throw new Error('The server of NATS_URL runs without JetStream; start it with -js.');
  const nothing = async () => undefined;
  const server: NatsServer = {
    url: given,
    port,
    monitorUrl: undefined,
    pid: undefined,
    version,
    source: 'NATS_URL',
    stop: nothing,
    kill: nothing,
    restart: async () => server,
  };
  return server;
}

/** A NATS server speaks first: one line `INFO {json}`, before any credentials. */
async function greeting(
  host: string,
  port: number,
): Promise<{ version: string; jetstream: boolean }> {
  const socket = connect({ host, port });
  socket.setTimeout(GREETING_WITHIN_MS, () => socket.destroy(new Error('no answer in time')));
  try {
    const lines = createInterface({ input: socket });
    const [line] = await Promise.race([
      once(lines, 'line'),
      once(socket, 'close'),
      failure(socket),
    ]);
    const json = /^INFO (\{.*\})/.exec(String(line))?.[1];
    if (json === undefined) throw new Error('it does not answer as NATS does');
    // two fields of the protocol's documented INFO message
    const info = JSON.parse(json) as { version: string; jetstream?: boolean };
    return { version: info.version, jetstream: info.jetstream ?? false };
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unknown error';
    throw new Error(`The server of NATS_URL cannot be used: ${reason}.`, { cause: error });
  } finally {
    socket.destroy();
  }
}

async function failure(socket: ReturnType<typeof connect>): Promise<never> {
  const [error] = await once(socket, 'error');
  throw error;
}
