import type { NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import type { LiveSettings } from '../src/live/start.ts';
import { startGateway } from '../src/start.ts';
import { books, composeLibrary, privateKey, startDoorkeeper, startFixture } from './library.ts';
import { type Listener, listen } from './listener.ts';

/** Follows one book, or every book. */
export const BOOK = 'subscription ($id: ID) { bookChanged(id: $id) { title stars } }';
export const EMMA = { variables: { id: 'b1' } };

/** The library behind gateways whose subscriptions can be followed, and a book that changes. */
export async function startLiveLibrary({ nats, log }: { nats: NatsConnection; log: Logger }) {
  const { door, stop: stopDoor } = startDoorkeeper(nats, log);
  const library = await startFixture('books', log);
  const reviews = await startFixture('reviews', log);
  const stops = [library.stop, reviews.stop, stopDoor];
  const listeners: Listener[] = [];
  await nats.flush();
  return {
    ...{ door, library },
    startOne: async (live: LiveSettings = {}) => {
      const gateway = await startGateway({
        supergraphSdl: composeLibrary(),
        serviceUrls: { books: library.url, reviews: reviews.url },
        privateKey,
        corsOrigins: [],
        nats,
        host: '127.0.0.1',
        port: 0,
        log,
        live,
      });
      return { ...gateway, base: `http://127.0.0.1:${gateway.port}` };
    },
    listen: async (...asked: Parameters<typeof listen>) => {
      const listener = await listen(...asked);
      listeners.push(listener);
      return listener;
    },
    /** Gives the first book a title, and tells a workspace. */
    rename: (title: string, workspace: string = door.home) => {
      const [book] = books;
      if (book) book.title = title;
      const event = { payload: { bookId: 'b1' } };
      nats.publish(`books.book_changed.v1.${workspace}`, JSON.stringify(event));
    },
    startBooks: async (port: number) => {
      const again = await startFixture('books', log, port);
      stops.push(again.stop);
    },
    leaveAll: async () => {
      await Promise.all(listeners.splice(0).map(({ leave }) => leave()));
    },
    stop: async () => {
      await Promise.all(stops.map((stop) => stop()));
    },
  };
}

export const titles = ({ heard }: Listener): (string | undefined)[] =>
  heard.results.map(({ data }) => data?.bookChanged?.title);
export const lastTitle = (listener: Listener) => titles(listener).at(-1);
export const codes = ({ heard }: Listener): unknown[] =>
  heard.results.flatMap(({ errors }) => errors.map(({ extensions }) => extensions.code));
