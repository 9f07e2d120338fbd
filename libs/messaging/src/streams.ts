import { jetstreamManager, RetentionPolicy, StorageType, DiscardPolicy } from '@nats-io/jetstream';
import { type NatsConnection, nanos } from '@nats-io/transport-node';

const DAY_MS = 86_400_000;

/** The one definition of a service's stream: what it keeps, how long, and what happens when it is full. */
export const streamOf = (owner: string) => ({
  name: owner,
  subjects: [`${owner}.>`],
  retention: RetentionPolicy.Limits,
  storage: StorageType.File,
  max_age: nanos(7 * DAY_MS),
  max_bytes: 1024 * 1024 * 1024,
  max_msg_size: 256 * 1024,
  // a full stream refuses; the outbox keeps what was refused
  discard: DiscardPolicy.New,
  duplicate_window: nanos(120_000),
  num_replicas: 1,
});

const CHECKED = [
  'retention',
  'storage',
  'max_age',
  'max_bytes',
  'max_msg_size',
  'discard',
  'duplicate_window',
] as const;

/**
 * Makes sure a service's stream exists as defined. Whoever comes first creates it; a stream with
 * other settings is an error that names them, because somebody edited it by hand.
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
    if (!existing || differing.length === 0) throw error;
    const found = differing.map((key) => `${key} ${existing.config[key]}, expected ${wanted[key]}`);
    throw new Error(`Stream ${owner} has ${found.join('; ')}`, { cause: error });
  }
}
