import {
  boundedText,
  checkCursor,
  IdPart,
  optional,
  orderBy,
  type PageArguments,
  type PageRequest,
  readPage,
  TimePart,
} from '@manifold/subgraph';
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

const Filter = z.object({
  state: optional(z.array(z.enum(requestStates)).max(5)),
  connectionId: optional(boundedText(64)),
  cause: optional(
    z.object({
      service: optional(boundedText(32)),
      type: optional(boundedText(64)),
      id: optional(boundedText(64)),
    }),
  ),
  createdAfter: optional(z.date()),
  createdBefore: optional(z.date()),
});

const ListArguments = z.object({ filter: optional(Filter), orderBy: orderBy(['CREATED_AT']) });

/** The arguments of the query `writeRequests`, checked; newest first when no order is given. */
export function readListing(args: PageArguments): {
  filter: RequestFilter;
  page: PageRequest & { newestFirst: boolean };
} {
  const { filter, orderBy: order } = ListArguments.parse(args);
  const page = checkCursor(readPage(args), [TimePart, IdPart]);
  return {
    filter: {
      states: filter?.state?.map(storedState),
      connectionId: filter?.connectionId,
      causeService: filter?.cause?.service,
      causeType: filter?.cause?.type,
      causeId: filter?.cause?.id,
      createdAfter: filter?.createdAfter,
      createdBefore: filter?.createdBefore,
    },
    page: { ...page, newestFirst: order?.direction !== 'ASC' },
  };
}
