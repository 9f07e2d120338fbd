import { ConnectionStatus } from '@manifold/contracts';
import { type PageRequest, readPage } from '@manifold/subgraph';
import { z } from 'zod';
import type { ConnectionFilter } from './store.ts';

/** Arguments of the query `connections`, as the graph hands them over. */
export const ConnectionListArguments = z.object({
  filter: z
    .object({
      kind: z
        .array(z.enum(['ORGANIZATION', 'PERSONAL']))
        .max(2)
        .nullish(),
      method: z
        .array(z.enum(['OAUTH', 'API_TOKEN']))
        .max(2)
        .nullish(),
      status: z.array(ConnectionStatus).max(3).nullish(),
      companyId: z.string().max(32).nullish(),
    })
    .nullish(),
  orderBy: z
    .object({ field: z.enum(['CREATED_AT']), direction: z.enum(['ASC', 'DESC']) })
    .nullish(),
  first: z.number().nullish(),
  after: z.string().max(512).nullish(),
  last: z.number().nullish(),
  before: z.string().max(512).nullish(),
});

export interface Listing {
  filter: ConnectionFilter;
  page: PageRequest;
  newestFirst: boolean;
}

export const readListing = (args: z.output<typeof ConnectionListArguments>): Listing => ({
  filter: {
    kind: args.filter?.kind ?? undefined,
    method: args.filter?.method ?? undefined,
    status: args.filter?.status ?? undefined,
    companyId: args.filter?.companyId ?? undefined,
  },
  page: readPage(args),
  newestFirst: args.orderBy?.direction === 'DESC',
});
