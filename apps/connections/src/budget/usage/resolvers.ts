import { ChangeSetId, ConnectionId } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import {
  loadById,
  type PageArguments,
  type RequestContext,
  type Resolvers,
  toConnection,
} from '@manifold/subgraph';
import type { Connection } from '../../accounts/tables.ts';
import type { Db } from '../../store.ts';
import { readCallListing, readUsageListing } from './listing.ts';
import { type ApiCall, countCalls, countUsage, listCalls, listUsage, type Usage } from './store.ts';

type Context = RequestContext & {
  loaders: {
    connections: { load(id: ConnectionId): Promise<Connection | null> };
    changeSets: { load(id: ChangeSetId): Promise<unknown> };
  };
};

/** What was spent on what: totals of any days, and single calls of the last thirty. */
export const createUsageResolvers = (deps: { db: Db; now: () => Date }): Resolvers => ({
  Query: {
    apiUsage: (_: unknown, args: PageArguments, { workspaceId }: Context) => {
      const { of, page } = readUsageListing(args, deps.now());
      const isByDay = of.by === 'day';
      return withWorkspace(deps.db, workspaceId, async (tx) => ({
        ...toConnection(await listUsage(tx, of, page), page, ({ tokens, key }) =>
          isByDay ? [key] : [String(tokens), key],
        ),
        totalCount: await countUsage(tx, of),
      }));
    },
    apiCalls: (_: unknown, args: PageArguments, { workspaceId }: Context) => {
      const { filter, page } = readCallListing(args);
      return withWorkspace(deps.db, workspaceId, async (tx) => ({
        ...toConnection(await listCalls(tx, filter, page), page, ({ id }) => [id]),
        totalCount: await countCalls(tx, filter),
      }));
    },
  },
  ApiUsage: {
    changeSet: ({ key }: Usage, _: unknown, { loaders }: Context) =>
      loadById(ChangeSetId, key, (id) => loaders.changeSets.load(id)),
    connection: ({ key }: Usage, _: unknown, { loaders }: Context) =>
      loadById(ConnectionId, key, (id) => loaders.connections.load(id)),
  },
  ApiCall: {
    connection: ({ connection_id }: ApiCall, _: unknown, { loaders }: Context) =>
      loaders.connections.load(connection_id),
    lane: ({ lane }: ApiCall) => lane.toUpperCase(),
    outcome: ({ outcome }: ApiCall) => outcome.toUpperCase(),
    changeSet: ({ change_set_id }: ApiCall, _: unknown, { loaders }: Context) =>
      change_set_id === null ? null : loaders.changeSets.load(change_set_id),
  },
});
