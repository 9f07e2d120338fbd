import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { refused } from './problem.ts';

/** A request as it came in, body read. */
export interface Incoming {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  contentType: string;
  text: string;
}

const MAX_BODY_BYTES = 2_000_000;

export async function readIncoming(message: IncomingMessage): Promise<Incoming> {
  const url = new URL(message.url ?? '/', 'http://sandbox');
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > MAX_BODY_BYTES) throw refused(413, 'Request body is too large');
    chunks.push(bytes);
  }
  return {
    method: message.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    headers: message.headers,
    contentType: message.headers['content-type'] ?? '',
    text: Buffer.concat(chunks).toString('utf8'),
  };
}
