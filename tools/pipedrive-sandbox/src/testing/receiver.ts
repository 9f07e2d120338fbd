import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  method: string;
  path: string;
  authorization: string | undefined;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests read payloads by the shapes Pipedrive documents
  body: any;
}

/** Something that listens where webhooks and callbacks go. */
export interface Receiver {
  url: string;
  received: Received[];
  /** The statuses of the next answers, 0 for none at all; afterwards 200. */
  answers: number[];
  stop(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  const answers: number[] = [];
  async function receive(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(Buffer.from(chunk));
    const text = Buffer.concat(chunks).toString('utf8');
    received.push({
      method: message.method ?? '',
      path: message.url ?? '',
      authorization: message.headers.authorization,
      body: text === '' ? undefined : JSON.parse(text),
    });
    const status = answers.shift() ?? 200;
    if (status !== 0) response.writeHead(status).end();
  }
  const server = createServer((message, response) => {
    receive(message, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    answers,
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
