import { ConnectionStatus, type UserId } from '@manifold/contracts';
import {
  boundedText,
  checkCursor,
  IdPart,
  optional,
  orderBy,
  type PageArguments,
  type PageRequest,
  readPage,
} from '@manifold/subgraph';
import { z } from 'zod';
import type { ConnectionFilter } from './store.ts';

const ListArguments = z.object({
  filter: optional(
    z.object({
      kind: optional(z.array(z.enum(['ORGANIZATION', 'PERSONAL'])).max(2)),
      method: optional(z.array(z.enum(['OAUTH', 'API_TOKEN'])).max(2)),
      status: optional(z.array(ConnectionStatus).max(3)),
      companyId: optional(boundedText(32)),
      mine: optional(z.boolean()),
    }),
  ),
  orderBy: orderBy(['CREATED_AT']),
});

/** The arguments of the query `connections`, checked; oldest first when no order is given. */
export function readListing(
  args: PageArguments,
  userId: UserId,
): {
  filter: ConnectionFilter;
  page: PageRequest;
  newestFirst: boolean;
} {
  const { filter, orderBy: order } = ListArguments.parse(args);
  const { mine, ...conditions } = filter ?? {};
  const page = checkCursor(readPage(args), [IdPart]);
  const own = mine === undefined ? undefined : { userId, isOwn: mine };
  return { filter: { ...conditions, own }, page, newestFirst: order?.direction === 'DESC' };
}
