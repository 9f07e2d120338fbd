import {
  boundedText,
  checkCursor,
  checkFilter,
  IdPart,
  optional,
  orderBy,
  type PageArguments,
  type PageRequest,
  readPage,
  TextPart,
  TimePart,
} from '@manifold/subgraph';
import { z } from 'zod';
import { Channel, SubscriptionState } from '../subscriptions/arguments.ts';
import { type EntityFilter, type Order, orderFields } from './rules.ts';

const Text = optional(boundedText(320));
const Day = optional(boundedText(40));
const Numeric = optional(z.number());

const Condition = z.object({
  key: boundedText(64).min(1),
  equals: Text,
  equalsNumber: Numeric,
  equalsBoolean: optional(z.boolean()),
  contains: Text,
  includes: Text,
  greaterThan: Numeric,
  lessThan: Numeric,
  after: Day,
  before: Day,
  isSet: optional(z.boolean()),
});

const SubscriptionCondition = z
  .object({ channel: Channel, state: SubscriptionState })
  .transform(({ channel, state: permission }) => ({ channel, permission }));

const Filter: z.ZodType<EntityFilter> = z.lazy(() =>
  z.object({
    email: Text,
    emailContains: Text,
    nameContains: Text,
    accountId: optional(boundedText(64)),
    dataSourceId: optional(boundedText(64)),
    updatedAfter: optional(z.date()),
    updatedBefore: optional(z.date()),
    variable: optional(Condition),
    subscription: optional(SubscriptionCondition),
    and: optional(z.array(Filter).min(1)),
    or: optional(z.array(Filter).min(1)),
    not: optional(Filter),
  }),
);

const ListArguments = z.object({ filter: optional(Filter), orderBy: orderBy(orderFields) });

/** The arguments of a list of contacts or accounts, checked; by name when no order is given. */
export function readListArguments(args: PageArguments): {
  filter: EntityFilter;
  order: Order;
  page: PageRequest;
} {
  const { filter = {}, orderBy: order = { field: 'NAME', direction: 'ASC' } } =
    ListArguments.parse(args);
  checkFilter(filter);
  const isTime = order.field === 'CREATED_AT' || order.field === 'UPDATED_AT';
  const page = checkCursor(readPage(args), [isTime ? TimePart : TextPart, IdPart]);
  return { filter, order, page };
}
