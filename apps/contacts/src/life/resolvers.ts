import { DataSourceId } from '@manifold/contracts';
import { originOf, requireRole } from '@manifold/subgraph';
import type { NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import type { Context } from '../loaders.ts';
import type { Db } from '../store.ts';
import { changeLife, reconnectDataSource } from './commands.ts';
import type { Act } from './rules.ts';

const Arguments = z.object({ input: z.object({ dataSourceId: DataSourceId }) });

export const createLifeResolvers = (deps: { db: Db; nats: NatsConnection; now: () => Date }) => {
  const mutation = (act: Act) => async (_: unknown, args: unknown, context: Context) => {
    requireRole(context.identity, 'ADMIN');
    const call = { origin: originOf(context), ...Arguments.parse(args).input };
    const dataSource =
      act === 'reconnect'
        ? await reconnectDataSource(deps, call)
        : await changeLife(deps, { ...call, act });
    return { dataSource };
  };
  return {
    Mutation: {
      disconnectDataSource: mutation('disconnect'),
      reconnectDataSource: mutation('reconnect'),
      archiveDataSource: mutation('archive'),
      restoreDataSource: mutation('restore'),
      deleteDataSource: mutation('delete'),
    },
  };
};
