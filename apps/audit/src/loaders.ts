import type { AuditEntryId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import type { RequestContext } from '@manifold/subgraph';
import DataLoader from 'dataloader';
import { listEntriesAbout, listEntriesByIds } from './ledger/store.ts';
import type { AuditEntry, Db } from './store.ts';

/** Entries fetched for one thing. */
export const MOST_ABOUT = 100;

/** One look-up per kind and request tick, in the caller's workspace. */
export const createLoaders =
  (db: Db) =>
  ({ workspaceId }: RequestContext) => ({
    entries: new DataLoader<AuditEntryId, AuditEntry | null>(async (ids) => {
      const rows = await withWorkspace(db, workspaceId, (tx) =>
        listEntriesByIds(tx, workspaceId, ids),
      );
      const byId = new Map(rows.map((row) => [row.id, row]));
      return ids.map((id) => byId.get(id) ?? null);
    }),
    about: new DataLoader<string, AuditEntry[]>(
      async (subjects) => {
        const rows = await withWorkspace(db, workspaceId, (tx) =>
          listEntriesAbout(tx, workspaceId, { subjects, most: MOST_ABOUT }),
        );
        const bySubject = Map.groupBy(rows, ({ subject_id }) => subject_id);
        return subjects.map((subject) => bySubject.get(subject) ?? []);
      },
      { maxBatchSize: 100 },
    ),
  });

export type Loaders = ReturnType<ReturnType<typeof createLoaders>>;
export type Context = RequestContext & { loaders: Loaders };
