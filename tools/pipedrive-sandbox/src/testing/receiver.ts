import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  method: string;
  path: string;
  authorization: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: tests read payloads by the shapes Pipedrive documents
  body: any;
}

/** Something that listens where webhooks and callbacks go. */
export interface Receiver {
  url: string;
  received: Received[];
  /** The statuses of the next answers; afterwards 200. */
  answers: number[];
  stop(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  const answers: number[] = [];
  const server = createServer(async (message, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(Buffer.from(chunk));
    const text = Buffer.concat(chunks).toString('utf8');
    received.push({
      method: message.method ?? '',
      path: message.url ?? '',
      authorization: message.headers.authorization,
      body: text === '' ? undefined : JSON.parse(text),
    });
    response.statusCode = answers.shift() ?? 200;
    response.end();
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
