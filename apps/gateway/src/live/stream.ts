import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

/** Proxies close connections on which nothing moves. */
const BEAT_MS = 15_000;
/** A client that takes nothing for so long is gone, or will never catch up. */
const STUCK_MS = 30_000;

/** One answer in several parts, as server-sent events in the words of the GraphQL-over-SSE protocol. */
export interface EventStream {
  /** Lets the client know that it is heard, before there is a result. */
  begin: () => void;
  /** One result, as JSON. */
  next: (json: string) => void;
  /** Nothing follows, and asking again would bring nothing more. */
  complete: () => void;
  /** Ends without `complete`: the client is to come again. */
  leave: () => void;
  /** Waits until the client has taken what was sent; false when it does not, or it is over first. */
  hasRoom: (over: AbortSignal) => Promise<boolean>;
  /** Aborts when the client has gone. */
  gone: AbortSignal;
}

/** Opens the stream; nothing may have been sent before. */
export function openStream(
  response: ServerResponse,
  { beatMs = BEAT_MS, stuckMs = STUCK_MS }: { beatMs?: number; stuckMs?: number } = {},
): EventStream {
  const gone = new AbortController();
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    // neither kept nor gathered on the way
    'cache-control': 'no-store, no-transform',
    'x-accel-buffering': 'no',
  });
  const beat = setInterval(() => {
    if (!response.writableNeedDrain) response.write(':\n\n');
  }, beatMs);
  const leftBehind = () => {
    clearInterval(beat);
    gone.abort();
  };
  // while it was looked at who asks: nothing tells of it any more
  if (response.destroyed || response.closed) leftBehind();
  else response.once('close', leftBehind);
  const end = (last: string) => {
    clearInterval(beat);
    if (!gone.signal.aborted) response.end(last);
  };
  return {
    begin: () => void response.write(':\n\n'),
    next: (json) => void response.write(`event: next\ndata: ${json.trim()}\n\n`),
    complete: () => end('event: complete\ndata:\n\n'),
    leave: () => end(':\n\n'),
    hasRoom: async (over) => {
      if (gone.signal.aborted) return false;
      if (!response.writableNeedDrain) return true;
      const late = AbortSignal.any([gone.signal, over, AbortSignal.timeout(stuckMs)]);
      const drained = await once(response, 'drain', { signal: late }).then(
        () => true,
        () => false,
      );
      if (!drained) response.destroy();
      return drained;
    },
    gone: gone.signal,
  };
}
