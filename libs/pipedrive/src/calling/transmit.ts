import { Agent, type Dispatcher, request } from 'undici';

/** Larger answers are cut off; a page of 500 records with every field is below 5 MB. */
const LARGEST_BODY_BYTES = 16 * 1024 * 1024;

/** What became of one HTTP request, told by whether the other side can have acted on it. */
export type Transmission =
  /** `text` is undefined when the body broke off or was too large. */
  | {
      sent: 'answered';
      status: number;
      headers: Dispatcher.ResponseData['headers'];
      text: string | undefined;
    }
  /** Not a byte left this process for the server: name, connection, TLS. */
  | { sent: 'no'; cause: string }
  | { sent: 'maybe'; cause: string };

export interface Message {
  url: string;
  method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  headers: Record<string, string>;
  body?: string | undefined;
  timeoutMs: number;
  dispatcher: Dispatcher;
}

/** Connections that never follow redirects and give up connecting early. */
export const createDispatcher = (): Dispatcher =>
  new Agent({ connect: { timeout: 5_000 }, keepAliveTimeout: 10_000 });

/** Sends one request and waits for the whole answer. Never throws, never retries. */
export async function transmit(message: Message): Promise<Transmission> {
  const progress = { begun: false };
  try {
    const response = await request(message.url, {
      method: message.method,
      headers: message.headers,
      body: message.body ?? null,
      headersTimeout: message.timeoutMs,
      bodyTimeout: message.timeoutMs,
      signal: AbortSignal.timeout(message.timeoutMs),
      dispatcher: message.dispatcher.compose(noteBeginning(progress)),
    });
    const text = await readBounded(response.body);
    return { sent: 'answered', status: response.statusCode, headers: response.headers, text };
  } catch (error) {
    return { sent: progress.begun ? 'maybe' : 'no', cause: codeOf(error) };
  }
}

/** Notes the moment before the first byte is written; an error before it means nothing was sent. */
function noteBeginning(progress: { begun: boolean }): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) =>
    dispatch(options, {
      onRequestStart(controller, context) {
        handler.onRequestStart?.(controller, context);
        if (!controller.aborted) progress.begun = true;
      },
      onResponseStart: (...response) => handler.onResponseStart?.(...response),
      onResponseData: (...data) => handler.onResponseData?.(...data),
      onResponseEnd: (...end) => handler.onResponseEnd?.(...end),
      onResponseError: (...failure) => handler.onResponseError?.(...failure),
    });
}

async function readBounded(body: Dispatcher.ResponseData['body']): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of body) {
      size += chunk.length;
      if (size > LARGEST_BODY_BYTES) return undefined;
      chunks.push(chunk);
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The error's code alone: messages of network errors can hold the address with its query. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error.name;
}
