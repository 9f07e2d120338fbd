import { type EventEnvelope, EventEnvelopeHead, type ServiceName } from '@manifold/contracts';
import type { JsMsg } from '@nats-io/jetstream';
import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import { handleEvent, park } from './handle.ts';
import type { Handler } from './handler.ts';
import type { MessagingTables } from '../tables.ts';
import { asReceived, unreadable } from '../failing/unreadable.ts';

/** How long the broker waits for an acknowledgement before it brings a message again. */
export const ACK_WAIT_MS = 5_000;

/** A message of a stream, read once. Without a handler it is none of ours. */
export interface Incoming<Tables> {
  message: JsMsg;
  /** Messages of one key keep their order. */
  key: string;
  known?: { event: EventEnvelope; handler: Handler<Tables> };
}

/** What a consumer brings. */
export type Messages = AsyncIterable<JsMsg>;

export interface Settling<Tables> {
  db: Kysely<Tables>;
  service: ServiceName;
  handlers: ReadonlyMap<string, Handler<Tables>>;
  log: Logger;
  /** Aborted when the service stops or another replica takes over. */
  stopping: AbortSignal;
}

/** Reads a message as far as needed to route it. */
export function readIncoming<Tables>(
  handlers: ReadonlyMap<string, Handler<Tables>>,
  message: JsMsg,
): Incoming<Tables> {
  const event = readEnvelope(message);
  const handler = event && handlers.get(event.name);
  if (!event || !handler) return { message, key: message.subject };
  return { message, key: keyOf(handler, event), known: { event, handler } };
}

function readEnvelope(message: JsMsg): EventEnvelope | undefined {
  try {
    return EventEnvelopeHead.parse(message.json());
  } catch {
    return undefined;
  }
}

function keyOf<Tables>(handler: Handler<Tables>, event: EventEnvelope): string {
  try {
    return `${event.workspaceId}|${handler.keyOf(event)}`;
  } catch {
    // the payload does not fit its contract: handling it will say so
    return `${event.workspaceId}|${event.id}`;
  }
}

function isConcerned<Tables>(handler: Handler<Tables>, event: EventEnvelope): boolean {
  try {
    return handler.concerns?.(event) ?? true;
  } catch {
    // handling it will say why it cannot be read
    return true;
  }
}

/** Every message ends acknowledged. False: Postgres could not take this one now, so it is not. */
export async function settle<Tables extends MessagingTables>(
  options: Settling<Tables>,
  { message, key, known }: Incoming<Tables>,
): Promise<boolean> {
  if (!known) return settleUnreadable(options, message);
  const { db, service, log } = options;
  const { event, handler } = known;
  if (!isConcerned(handler, event)) {
    tellBroker(() => message.ack());
    return true;
  }
  try {
    const received = { event, key, body: message.string() };
    const outcome = await handleEvent({ db, service, handler }, received);
    if (outcome === 'waiting') log.warn({ event: event.id, name: event.name }, 'event waits');
  } catch (error) {
    log.error({ err: error, event: event.id }, 'event not stored, it will be tried again');
    return false;
  }
  tellBroker(() => message.ack());
  return true;
}

/** A message nothing reads is kept for a person; one that is of no workspace is dropped. */
async function settleUnreadable<Tables extends MessagingTables>(
  { db, service, log }: Settling<Tables>,
  message: JsMsg,
): Promise<boolean> {
  const where = { subject: message.subject, seq: message.seq, service };
  try {
    const received = asReceived(message);
    if (received) await park({ db, service }, received, { attempts: 1, error: unreadable });
    log.error(where, received ? 'unreadable message parked' : 'unknown message dropped');
  } catch (error) {
    log.error({ err: error, ...where }, 'message not stored, it will be tried again');
    return false;
  }
  tellBroker(() => message.term());
  return true;
}

/** Acknowledges or the like, as far as that is possible. */
export function tellBroker(say: () => void): void {
  try {
    say();
  } catch {
    // the connection is closing: unacknowledged, the message comes again by itself
  }
}

/** Tells the broker that messages are being worked on, for as long as they wait for their turn. */
export function keepAlive(pending: ReadonlySet<JsMsg>): () => void {
  const heartbeat = setInterval(() => {
    for (const message of pending) tellBroker(() => message.working());
  }, ACK_WAIT_MS / 3);
  return () => clearInterval(heartbeat);
}
