import type { AccountId, ContactId, DataSourceId, SyncRunId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { createLoader, type RequestContext } from '@manifold/subgraph';
import DataLoader from 'dataloader';
import { listAccountsByIds, listContactsByIds, listMainLinks } from './lists/store.ts';
import type { Mappings } from './mappings/commands.ts';
import type { VariableDefinition } from './mappings/rules.ts';
import { listMappingsInUse } from './mappings/store.ts';
import { listLastRuns, listRunsByIds } from './runs/store.ts';
import { readyOf } from './sources/rules.ts';
import { listSourcesByIds } from './sources/store.ts';
import type {
  Account,
  Contact,
  DataSource,
  Db,
  ReadySource,
  RecordLink,
  SyncedObject,
  SyncRun,
} from './store.ts';

/** One query per kind for everything a request asks, within its workspace. */
export const createLoaders =
  ({ db, mappings }: { db: Db; mappings: Mappings }) =>
  ({ workspaceId }: RequestContext) => {
    const scoped = <Row>(list: (tx: Db) => Promise<Row[]>) => withWorkspace(db, workspaceId, list);
    return {
      sources: createLoader<DataSourceId, DataSource>(
        (ids) => scoped((tx) => listSourcesByIds(tx, workspaceId, ids)),
        ({ id }) => id,
      ),
      runs: createLoader<SyncRunId, SyncRun>(
        (ids) => scoped((tx) => listRunsByIds(tx, workspaceId, ids)),
        ({ id }) => id,
      ),
      lastRuns: createLoader<DataSourceId, SyncRun>(
        (ids) => scoped((tx) => listLastRuns(tx, workspaceId, ids)),
        (run) => run.data_source_id,
      ),
      contacts: createLoader<ContactId, Contact>(
        (ids) => scoped((tx) => listContactsByIds(tx, workspaceId, ids)),
        ({ id }) => id,
      ),
      accounts: createLoader<AccountId, Account>(
        (ids) => scoped((tx) => listAccountsByIds(tx, workspaceId, ids)),
        ({ id }) => id,
      ),
      /** The record a contact or account is shown with. */
      links: createLoader<string, RecordLink>(
        (ids) => scoped((tx) => listMainLinks(tx, workspaceId, ids)),
        (link) => link.entity_id ?? '',
      ),
      /** What the variables of contacts or accounts are called and hold, by key. */
      variables: new DataLoader<SyncedObject, Map<string, VariableDefinition>>(async (objects) => {
        const ready = await withWorkspace(db, workspaceId, async (tx) => {
          const inUse = await listMappingsInUse(tx, workspaceId);
          return Promise.all(inUse.map((pinned) => mappings.ready(tx, workspaceId, pinned)));
        });
        return objects.map(
          (object) =>
            new Map(
              ready.flatMap(({ variables }) =>
                variables[object].map((one) => [one.key, one] as const),
              ),
            ),
        );
      }),
    };
  };

export type Loaders = ReturnType<ReturnType<typeof createLoaders>>;
export type Context = RequestContext & { loaders: Loaders };

/** The record a contact or account is shown with, and the source it came through. */
export async function recordOf(
  entityId: string,
  { loaders }: Context,
): Promise<{ link: RecordLink; source: ReadySource } | null> {
  const link = await loaders.links.load(entityId);
  const found = link && (await loaders.sources.load(link.data_source_id));
  const source = found && readyOf(found);
  return link && source ? { link, source } : null;
}
