import {
  DiscardPolicy,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream';
import { type NatsConnection, nanos } from '@nats-io/transport-node';
import { z } from 'zod';

const DAY_MS = 86_400_000;
const MAX_MESSAGE_BYTES = 256 * 1024;
/** The rest of a message is its headers. One too large for its stream would hold its key for ever. */
export const MAX_EVENT_BYTES = MAX_MESSAGE_BYTES - 1024;

/** How large a stream may grow, from the environment. */
const Size = z.coerce
  .number()
  .int()
  .min(1)
  .default(1024 ** 3);

function maxBytesOf(env: NodeJS.ProcessEnv): number {
  const size = Size.safeParse(env['NATS_STREAM_MAX_BYTES']);
  if (!size.success) throw new Error('NATS_STREAM_MAX_BYTES is not a number of bytes');
  return size.data;
}

/** The one definition of a service's stream: what it keeps, how long, and what happens when it is full. */
export const streamOf = (owner: string, env: NodeJS.ProcessEnv = process.env) => ({
  name: owner,
  subjects: [`${owner}.>`],
  retention: RetentionPolicy.Limits,
  storage: StorageType.File,
  // less than the outbox, so that a full stream makes room while the outbox holds what it refused
  max_age: nanos(6 * DAY_MS),
  max_bytes: maxBytesOf(env),
  max_msg_size: MAX_MESSAGE_BYTES,
  // a full stream refuses; the outbox keeps what was refused
  discard: DiscardPolicy.New,
  duplicate_window: nanos(120_000),
  num_replicas: 1,
});

const CHECKED = ['retention', 'storage', 'max_msg_size', 'discard', 'duplicate_window'] as const;
/** What a later release or another setting may change. */
const ADJUSTED = ['max_age', 'max_bytes'] as const;

/**
 * Makes sure a service's stream exists as defined. Whoever comes first creates it; a stream with
 * other settings is an error that names them, because somebody edited it by hand. Another size or
 * age is none: its owner adjusts it.
 */
export async function ensureStream(nats: NatsConnection, owner: string): Promise<void> {
  const manager = await jetstreamManager(nats, { checkAPI: false });
  const wanted = streamOf(owner);
  try {
    // creating an existing stream with equal settings is accepted by the broker
    await manager.streams.add(wanted);
  } catch (error) {
    const existing = await manager.streams.info(owner).catch(() => undefined);
    const differing = CHECKED.filter((key) => existing && existing.config[key] !== wanted[key]);
    if (existing && differing.length === 0 && !isAdjusted(existing.config, wanted)) return;
    if (!existing || differing.length === 0) throw error;
    const found = differing.map((key) => `${key} ${existing.config[key]}, expected ${wanted[key]}`);
    throw new Error(`Stream ${owner} has ${found.join('; ')}`, { cause: error });
  }
}

/** Brings size and age of a service's own stream up to date. */
export async function adjustStream(nats: NatsConnection, owner: string): Promise<void> {
  const manager = await jetstreamManager(nats, { checkAPI: false });
  const { max_age, max_bytes } = streamOf(owner);
  await manager.streams.update(owner, { max_age, max_bytes });
}

type Sized = Pick<StreamConfig, (typeof ADJUSTED)[number]>;

/** Whether a stream has the size and age it should have. */
export const isAdjusted = (existing: Sized, wanted: Sized): boolean =>
  ADJUSTED.every((key) => existing[key] === wanted[key]);
