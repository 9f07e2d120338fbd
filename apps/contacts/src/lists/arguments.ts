import type { PageArguments, PageRequest } from '@manifold/subgraph';
import { readPage } from '@manifold/subgraph';
import { z } from 'zod';
import { boundedText, checkCursor, IdPart, optional, TextPart, TimePart } from '../arguments.ts';
import {
  type EntityFilter,
  MAX_CONDITIONS,
  MAX_DEPTH,
  measureFilter,
  type Order,
} from './rules.ts';

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
    and: optional(z.array(Filter).min(1).max(20)),
    or: optional(z.array(Filter).min(1).max(20)),
    not: optional(Filter),
  }),
);

const BoundedFilter = Filter.refine((filter) => measureFilter(filter).depth <= MAX_DEPTH, {
  message: `a filter is nested at most ${MAX_DEPTH} deep`,
}).refine((filter) => measureFilter(filter).size <= MAX_CONDITIONS, {
  message: `a filter holds at most ${MAX_CONDITIONS} filters`,
});

const ListArguments = z.object({
  filter: optional(BoundedFilter),
  orderBy: optional(
    z.object({
      field: z.enum(['NAME', 'EMAIL', 'CREATED_AT', 'UPDATED_AT']),
      direction: z.enum(['ASC', 'DESC']),
    }),
  ),
});

/** The arguments of a list of contacts or accounts, checked; by name when no order is given. */
export function readListArguments(args: PageArguments): {
  filter: EntityFilter;
  order: Order;
  page: PageRequest;
} {
  const { filter = {}, orderBy } = ListArguments.parse(args);
  const order = orderBy ?? { field: 'NAME', direction: 'ASC' };
  const isTime = order.field === 'CREATED_AT' || order.field === 'UPDATED_AT';
  const page = checkCursor(readPage(args), [isTime ? TimePart : TextPart, IdPart]);
  return { filter, order, page };
}
