import type { StreamConfig } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import { adjustStream, isAdjusted, streamOf } from './streams.ts';

/** How large a stream is, and how large it may grow. */
export interface Sized {
  bytes: number;
  config: StreamConfig;
}

const FULL_FROM = 0.8;
const SAY_AGAIN_MS = 60_000;
const saidAt = new Map<string, number>();

/** Brings a stream to its size, and says once a minute that it is nearly full. */
export async function tendSize(
  { nats, log }: { nats: NatsConnection; log: Logger | undefined },
  stream: string,
  { bytes, config }: Sized,
): Promise<void> {
  const full = bytes >= FULL_FROM * config.max_bytes;
  const misfit = !isAdjusted(config, streamOf(stream));
  if (!full && !misfit) return;
  const now = performance.now();
  if (now - (saidAt.get(stream) ?? -SAY_AGAIN_MS) < SAY_AGAIN_MS) return;
  saidAt.set(stream, now);
  const size = { stream, bytes, maxBytes: config.max_bytes };
  if (full) log?.warn(size, 'stream nearly full; when it is, events wait in the outbox');
  // events are published to a stream of another size as well
  if (misfit) {
    await adjustStream(nats, stream).catch((error: unknown) =>
      log?.warn({ err: error, stream }, 'size of stream not brought up to date'),
    );
  }
}
