import * as feed from '../src/feed/store.ts';
import * as overview from '../src/overview/store.ts';
import type { Db } from '../src/store.ts';
import * as subscriptions from '../src/subscriptions/store.ts';
import type { makeTenant } from './tenant.ts';

/** A call, what it finds in the scope of another workspace, and whether it finds or changes something in its own. */
export interface Call {
  call: (tx: Db) => Promise<unknown>;
  finds: unknown;
}

/** The stores `callsOfLaterRooms` is about. */
export const laterRooms = [feed, overview, subscriptions];

const page = { limit: 10, backwards: false, cursor: undefined };

export function callsOfLaterRooms(
  a: ReturnType<typeof makeTenant>,
  { now, later }: { now: Date; later: Date },
): Record<string, Call> {
  const theirs = { workspaceId: a.id, dataSourceId: a.source.id };
  const ofFeed: Record<keyof typeof feed, Call> = {
    insertActivities: {
      call: (tx) => feed.insertActivities(tx, theirs, [{ kind: 'SOURCE_UPDATED', at: now }]),
      finds: 'refused',
    },
    listActivityPage: {
      call: (tx) => feed.listActivityPage(tx, a.id, { page, filter: theirs }),
      finds: [],
    },
    countActivities: { call: (tx) => feed.countActivities(tx, a.id, theirs), finds: 0 },
    listSkipPage: {
      call: (tx) => feed.listSkipPage(tx, a.id, { page, filter: { syncRunId: a.run.id } }),
      finds: [],
    },
    countSkips: { call: (tx) => feed.countSkips(tx, a.id, { syncRunId: a.run.id }), finds: 0 },
  };

  const ofOverview: Record<keyof typeof overview, Call> = {
    countAdded: {
      call: (tx) => overview.countAdded(tx, a.id, { ...theirs, since: now }),
      finds: { added: 0, recently: 0 },
    },
    listAddedByDay: {
      call: (tx) => overview.listAddedByDay(tx, a.id, { ...theirs, since: now }),
      finds: [],
    },
  };

  const ofSubscriptions: Record<keyof typeof subscriptions, Call> = {
    setSubscriptions: {
      call: (tx) =>
        subscriptions.setSubscriptions(tx, a.id, {
          id: a.contact.id,
          subscriptions: {},
          now: later,
        }),
      finds: undefined,
    },
  };
  return { ...ofFeed, ...ofOverview, ...ofSubscriptions };
}
