import type { AuditEntryId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { createGroupLoader, createLoader, type RequestContext } from '@manifold/subgraph';
import type { NatsConnection } from '@nats-io/transport-node';
import { listEntriesAbout, listEntriesByIds } from './ledger/store.ts';
import { findParked } from './parked/replaying.ts';
import { type ParkedMessage, parkedMessageOf } from './parked/rules.ts';
import type { AuditEntry, Db } from './store.ts';

/** Entries fetched for one thing. */
export const MOST_ABOUT = 100;

/** One look-up per kind and request tick, in the caller's workspace. */
/** Names a parked message for the loader. */
export const parkedKeyOf = ({ service, messageId }: ParkedMessage): string =>
  `${service}.message_parked|${messageId}`;

const parkedOfKey = (key: string): ParkedMessage[] => {
  const [action = '', target_id = ''] = key.split('|');
  return [parkedMessageOf({ action, target_id }) ?? []].flat();
};

export const createLoaders =
  (db: Db, nats: NatsConnection) =>
  ({ workspaceId }: RequestContext) => ({
    entries: createLoader<AuditEntryId, AuditEntry>(
      (ids) => withWorkspace(db, workspaceId, (tx) => listEntriesByIds(tx, workspaceId, ids)),
      ({ id }) => id,
    ),
    parked: createLoader<string, ParkedMessage & { parked: boolean }>(
      (keys) => findParked(nats, workspaceId, keys.flatMap(parkedOfKey)),
      parkedKeyOf,
    ),
    about: createGroupLoader(
      (subjects) =>
        withWorkspace(db, workspaceId, (tx) =>
          listEntriesAbout(tx, workspaceId, { subjects, most: MOST_ABOUT }),
        ),
      ({ subject_id }) => subject_id,
      { maxBatchSize: 100 },
    ),
  });

export type Loaders = ReturnType<ReturnType<typeof createLoaders>>;
export type Context = RequestContext & { loaders: Loaders };
