import type { AuditEntryId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { createGroupLoader, createLoader, type RequestContext } from '@manifold/subgraph';
import { listEntriesAbout, listEntriesByIds } from './ledger/store.ts';
import type { AuditEntry, Db } from './store.ts';

/** Entries fetched for one thing. */
export const MOST_ABOUT = 100;

/** One look-up per kind and request tick, in the caller's workspace. */
export const createLoaders =
  (db: Db) =>
  ({ workspaceId }: RequestContext) => ({
    entries: createLoader<AuditEntryId, AuditEntry>(
      (ids) => withWorkspace(db, workspaceId, (tx) => listEntriesByIds(tx, workspaceId, ids)),
      ({ id }) => id,
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
