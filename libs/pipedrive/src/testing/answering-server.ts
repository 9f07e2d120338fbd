import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createPipedriveClient, type PipedriveClient } from '../index.ts';
import type { CallReport } from '../calling/call.ts';

export type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

export interface AnsweringServer {
  url: string;
  requests: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[];
  /** What the next requests get; the last one stays. */
  answer: (answer: Answer) => void;
  stop: () => Promise<void>;
}

/** An HTTP server that says exactly what a test wants it to. */
export async function startAnsweringServer(): Promise<AnsweringServer> {
  const requests: AnsweringServer['requests'] = [];
  let current: Answer = (_, response) => response.end();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const { method = '', url = '', headers } = request;
      requests.push({ method, url, headers, body });
      current(request, response, body);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    answer: (answer) => {
      current = answer;
    },
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Answers every request the same way. */
export const saying =
  (status: number, body: unknown, headers: Record<string, string> = {}): Answer =>
  (_, response) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text);
  };

export const TOKEN = 'token-that-must-not-be-seen';

/** A client of a local server, with an API token and short patience. */
export function clientOf(
  url: string,
  reports: CallReport[] = [],
  timeoutMs = 1_000,
): PipedriveClient {
  return createPipedriveClient({
    apiDomain: url,
    allowedApiDomains: [url],
    authorization: async () => ({ kind: 'apiToken', token: TOKEN }),
    timeoutMs,
    onCall: (report) => reports.push(report),
  });
}
