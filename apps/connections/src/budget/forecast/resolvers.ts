import { ChangeSetId, ConnectionId } from '@manifold/contracts';
import { loadById, type RequestContext, type Resolvers } from '@manifold/subgraph';
import { requireOwn } from '../../accounts/ownership/rules.ts';
import type { Connection } from '../../accounts/tables.ts';
import { type ForecastDeps, forecastQueue, type JobForecast } from './commands.ts';

type Context = RequestContext & {
  loaders: {
    connections: { load(id: ConnectionId): Promise<Connection | null> };
    changeSets: { load(id: ChangeSetId): Promise<unknown> };
  };
};

const lanes = ['interactive', 'event', 'bulk'] as const;

const sumUp = (jobs: readonly JobForecast[]) => ({
  tokens: jobs.reduce((sum, { tokens }) => sum + tokens, 0),
  calls: jobs.reduce((sum, { calls }) => sum + calls, 0),
  endsAt: jobs.reduce<Date | null>(
    (latest, { endsAt }) => (latest === null || endsAt > latest ? endsAt : latest),
    null,
  ),
});

/** What the queue of a connection will cost and when it is empty. */
export const createForecastResolvers = (deps: ForecastDeps): Resolvers => ({
  Query: {
    apiForecast: async (_: unknown, args: { connectionId: string }, context: Context) => {
      const { loaders, identity } = context;
      const known = (id: ConnectionId) => loaders.connections.load(id);
      const connection = await loadById(ConnectionId, args.connectionId, known);
      if (!connection) return null;
      requireOwn(connection, identity.userId, 'connectionId');
      const jobs = await forecastQueue(deps, connection);
      const byLane = lanes.flatMap((lane) => {
        const own = jobs.filter((job) => job.lane === lane);
        return own.length === 0 ? [] : [{ lane, ...sumUp(own) }];
      });
      const inOrder = jobs.toSorted((a, b) => Number(a.endsAt) - Number(b.endsAt));
      return { connection, ...sumUp(jobs), lanes: byLane, jobs: inOrder.slice(0, MOST_JOBS) };
    },
  },
  ApiLaneForecast: {
    lane: ({ lane }: JobForecast) => lane.toUpperCase(),
  },
  ApiJobForecast: {
    lane: ({ lane }: JobForecast) => lane.toUpperCase(),
    feature: ({ job, changeSetId }: JobForecast) => (changeSetId === null ? job : null),
    changeSet: ({ changeSetId }: JobForecast, _: unknown, { loaders }: Context) =>
      changeSetId === null
        ? null
        : loadById(ChangeSetId, changeSetId, (id) => loaders.changeSets.load(id)),
    waitsForAnotherDay: ({ waitsForDay }: JobForecast) => waitsForDay,
  },
});

const MOST_JOBS = 200;
