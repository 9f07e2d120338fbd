import { ConnectionId, PipedriveObject } from '@manifold/contracts';
import { Refusal } from '@manifold/errors';
import { loadById, optional, type RequestContext, type Resolvers } from '@manifold/subgraph';
import { z } from 'zod';
import type { Connection } from '../../accounts/tables.ts';
import { estimateJob, jobs } from './pricing.ts';

type Context = RequestContext & {
  loaders: {
    connections: { load(id: ConnectionId): Promise<Connection | null> };
    recordCounts: { load(companyId: string): Promise<{ object: string; count: number }[]> };
  };
};

const Arguments = z.object({
  connectionId: z.string(),
  job: z.enum(jobs),
  object: PipedriveObject,
  records: optional(z.int().min(1).max(10_000_000)),
});

/** What a job will take, before it is begun. */
export const createEstimateResolvers = (): Resolvers => ({
  Query: {
    apiEstimate: async (_: unknown, args: unknown, { loaders }: Context) => {
      const { connectionId, job, object, records } = Arguments.parse(args);
      const known = (id: ConnectionId) => loaders.connections.load(id);
      const connection = await loadById(ConnectionId, connectionId, known);
      if (!connection) return null;
      if (object === 'user') {
        throw new Refusal('invalid', 'Nothing is done with records of the kind USER', {
          reason: 'invalid_input',
          field: 'object',
          fix: 'Name another kind of record.',
        });
      }
      const counts = await loaders.recordCounts.load(connection.company_id);
      const tracked = counts.find((one) => one.object === object)?.count;
      return estimateJob(job, object, { records, tracked });
    },
  },
});
