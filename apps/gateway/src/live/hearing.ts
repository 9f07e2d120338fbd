import { subjectOf, type WorkspaceId } from '@manifold/contracts';
import type { NatsConnection, Subscription } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import type { News } from './agenda.ts';

type Listener = (news: News) => void;

interface Room {
  listeners: Set<Listener>;
  /** Undefined while the broker refuses it. */
  subscription: Subscription | undefined;
}

interface HearingOptions {
  nats: NatsConnection;
  log: Logger;
  retryMs?: number;
}

/** The broker gets new permissions without our being told. */
const RETRY_MS = 15_000;

/**
 * Hears events of workspaces live, each subject once for all who follow it. Nothing is stored for
 * us at the broker: whoever lost the connection asks anew, which tells more than a backlog would.
 */
export function startHearing({ nats, log, retryMs = RETRY_MS }: HearingOptions) {
  const rooms = new Map<string, Room>();
  const everybody = new Set<Listener>();
  let stopped = false;
  const { subscribe } = createSubscriber({
    ...{ nats, log, retryMs },
    isOpen: (subject, room) => !stopped && !nats.isClosed() && rooms.get(subject) === room,
  });
  const enter = (subject: string) => {
    const room: Room = { listeners: new Set(), subscription: undefined };
    room.subscription = subscribe(subject, room);
    rooms.set(subject, room);
    return room;
  };
  /** Until the returned function is called; listening has begun once `begun` has resolved. */
  const hear = (
    { events, workspaceId }: { events: readonly string[]; workspaceId: WorkspaceId },
    listener: Listener,
  ): (() => void) => {
    const subjects = events.map((event) => subjectOf(event, workspaceId));
    everybody.add(listener);
    for (const subject of subjects) {
      const room = rooms.get(subject) ?? enter(subject);
      room.listeners.add(listener);
      if (room.subscription === undefined) listener({ news: 'lost' });
    }
    return () => {
      everybody.delete(listener);
      for (const subject of subjects) {
        const room = rooms.get(subject);
        room?.listeners.delete(listener);
        if (room?.listeners.size !== 0) continue;
        rooms.delete(subject);
        if (!nats.isClosed()) room.subscription?.unsubscribe();
      }
    };
  };
  void tellConnection(nats, (news) => {
    if (!stopped) for (const listener of everybody) listener({ news });
  });
  return {
    hear,
    stop: () => {
      stopped = true;
    },
  };
}

/** Subscribes for the listeners of a room, and again where the broker refused it. */
function createSubscriber({
  nats,
  log,
  retryMs,
  isOpen,
}: {
  nats: NatsConnection;
  log: Logger;
  retryMs: number;
  isOpen: (subject: string, room: Room) => boolean;
}) {
  const subscribe = (subject: string, room: Room): Subscription =>
    nats.subscribe(subject, {
      callback: (error, message) => {
        if (error) return lose(subject, room, error);
        const news = { news: 'event', payload: payloadOf(message.data) } as const;
        for (const listener of room.listeners) listener(news);
      },
    });
  const lose = (subject: string, room: Room, error: Error) => {
    log.warn({ err: error, subject }, 'events not heard');
    room.subscription = undefined;
    for (const listener of room.listeners) listener({ news: 'lost' });
    setTimeout(() => void hearAgain(subject, room), retryMs).unref();
  };
  const hearAgain = async (subject: string, room: Room) => {
    if (!isOpen(subject, room)) return;
    room.subscription = subscribe(subject, room);
    // what is refused is refused before this
    await nats.flush().catch(() => undefined);
    if (room.subscription === undefined) return;
    for (const listener of room.listeners) listener({ news: 'restored' });
  };
  return { subscribe };
}

export type Hearing = ReturnType<typeof startHearing>;

/** Ends when the connection is closed. */
async function tellConnection(
  nats: NatsConnection,
  tell: (news: 'lost' | 'restored') => void,
): Promise<void> {
  for await (const { type } of nats.status()) {
    if (type === 'disconnect') tell('lost');
    if (type !== 'reconnect') continue;
    // after this the broker knows again what we listen to
    await nats.flush().catch(() => undefined);
    tell('restored');
  }
}

/** Undefined when it cannot be read: then it concerns whoever listens. */
function payloadOf(data: Uint8Array): unknown {
  try {
    const envelope: unknown = JSON.parse(new TextDecoder().decode(data));
    return typeof envelope === 'object' && envelope !== null && 'payload' in envelope
      ? envelope.payload
      : undefined;
  } catch {
    return undefined;
  }
}
