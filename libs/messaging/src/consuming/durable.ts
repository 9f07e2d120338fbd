import {
  AckPolicy,
  type ConsumerInfo,
  type ConsumerMessages,
  DeliverPolicy,
  jetstream,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  jetstreamManager,
} from '@nats-io/jetstream';
import { type NatsConnection, nanos } from '@nats-io/transport-node';
import { ACK_WAIT_MS } from './incoming.ts';
import { ensureStream } from '../streams/streams.ts';

/** Which messages of which stream a service follows. */
export interface Durable {
  nats: NatsConnection;
  stream: string;
  service: string;
  handlers: ReadonlyMap<string, unknown>;
  buffered: number;
}

/**
 * Opens the service's durable consumer of a stream, from the first message it has not acknowledged.
 * The consumer is made anew each time: otherwise what somebody else had in hand would come only when
 * its time is up, and be overtaken by newer messages of its key. What was done already is known, so
 * a release that follows another event opens from the start: it gets the earlier ones of that name.
 */
export async function openConsumer(durable: Durable): Promise<ConsumerMessages> {
  const { nats, stream, service, handlers, buffered } = durable;
  await ensureStream(nats, stream); // whoever starts first creates it
  const manager = await jetstreamManager(nats, { checkAPI: false });
  const existing = await findConsumer(manager, durable);
  if (existing) await manager.consumers.delete(stream, service);
  const subjects = [...handlers.keys()].map((eventName) => `${eventName}.*`);
  const followed = existing && subjectsOf(existing);
  const goesOn = followed && subjects.every((subject) => followed.has(subject));
  await manager.consumers.add(stream, {
    durable_name: service,
    ack_policy: AckPolicy.Explicit,
    ...startAfter(goesOn ? existing.ack_floor.stream_seq : 0),
    ack_wait: nanos(ACK_WAIT_MS),
    max_ack_pending: 1_000,
    // no limit: giving up is decided in Postgres, where it is visible
    max_deliver: -1,
    filter_subjects: subjects,
  });
  const consumer = await jetstream(nats).consumers.get(stream, service);
  return consumer.consume({ max_messages: buffered, abort_on_missing_resource: true });
}

/** How many messages the broker has for the service and has not brought; `undefined`: the consumer is gone. */
export async function countUndelivered(durable: Durable): Promise<number | undefined> {
  const manager = await jetstreamManager(durable.nats, { checkAPI: false });
  return (await findConsumer(manager, durable))?.num_pending;
}

async function findConsumer(
  manager: JetStreamManager,
  { stream, service }: Durable,
): Promise<ConsumerInfo | undefined> {
  try {
    return await manager.consumers.info(stream, service);
  } catch (error) {
    const { ConsumerNotFound, StreamNotFound } = JetStreamApiCodes;
    const missing: number[] = [ConsumerNotFound, StreamNotFound];
    if (error instanceof JetStreamApiError && missing.includes(error.code)) return undefined;
    throw error;
  }
}

/** The broker keeps a single subject under another name. */
const subjectsOf = ({ config }: ConsumerInfo): ReadonlySet<string> =>
  new Set([
    ...(config.filter_subjects ?? []),
    ...(config.filter_subject === undefined ? [] : [config.filter_subject]),
  ]);

const startAfter = (sequence: number) =>
  sequence === 0
    ? { deliver_policy: DeliverPolicy.All }
    : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: sequence + 1 };
