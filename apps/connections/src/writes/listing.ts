import { type PageRequest, readPage } from '@manifold/subgraph';
import { z } from 'zod';
import type { RequestFilter } from './store.ts';
import type { RequestState } from './tables.ts';

/** As the graph spells them, and how they are stored. */
const requestStates = ['PENDING', 'SUCCEEDED', 'SKIPPED', 'PARKED', 'CANCELLED'] as const;

function storedState(state: (typeof requestStates)[number]): RequestState {
  switch (state) {
    case 'PENDING':
      return 'pending';
    case 'SUCCEEDED':
      return 'succeeded';
    case 'SKIPPED':
      return 'skipped';
    case 'PARKED':
      return 'parked';
    case 'CANCELLED':
      return 'cancelled';
  }
}

const time = z.coerce.date().nullish();
const text = (most: number) => z.string().max(most).nullish();

const Filter = z.object({
  state: z.array(z.enum(requestStates)).max(5).nullish(),
  connectionId: text(64),
  cause: z.object({ service: text(32), type: text(64), id: text(64) }).nullish(),
  createdAfter: time,
  createdBefore: time,
});

/** Arguments of the query `writeRequests`, as the graph hands them over. */
export const RequestListArguments = z.object({
  filter: Filter.nullish(),
  orderBy: z
    .object({ field: z.enum(['CREATED_AT']), direction: z.enum(['ASC', 'DESC']) })
    .nullish(),
  first: z.number().nullish(),
  after: text(512),
  last: z.number().nullish(),
  before: text(512),
});

export function readListing(args: z.output<typeof RequestListArguments>): {
  filter: RequestFilter;
  page: PageRequest & { newestFirst: boolean };
} {
  const filter = args.filter ?? {};
  return {
    filter: {
      states: filter.state?.map(storedState),
      connectionId: filter.connectionId ?? undefined,
      causeService: filter.cause?.service ?? undefined,
      causeType: filter.cause?.type ?? undefined,
      causeId: filter.cause?.id ?? undefined,
      createdAfter: filter.createdAfter ?? undefined,
      createdBefore: filter.createdBefore ?? undefined,
    },
    page: { ...readPage(args), newestFirst: args.orderBy?.direction !== 'ASC' },
  };
}
