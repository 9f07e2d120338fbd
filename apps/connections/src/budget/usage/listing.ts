import {
  boundedText,
  checkCursor,
  IdPart,
  optional,
  orderBy,
  type PageArguments,
  type PageRequest,
  readPage,
  TextPart,
} from '@manifold/subgraph';
import { z } from 'zod';
import { dayOf, firstDayOf } from '../rules.ts';
import type { CallFilter, UsageColumn, UsageFilter } from './store.ts';

export const groupings = ['OPERATION', 'DAY', 'FEATURE', 'CHANGE_SET', 'CONNECTION'] as const;
const columns: Record<(typeof groupings)[number], UsageColumn> = {
  OPERATION: 'operation',
  DAY: 'day',
  FEATURE: 'feature',
  CHANGE_SET: 'change_set_id',
  CONNECTION: 'connection_id',
};

const ids = optional(z.array(boundedText(64)).max(100));
const texts = optional(z.array(boundedText(64)).max(100));
const Day = z.iso.date();

const UsageArguments = z.object({
  by: z.enum(groupings),
  filter: optional(
    z.object({
      connectionId: ids,
      changeSetId: ids,
      feature: texts,
      since: optional(Day),
      until: optional(Day),
    }),
  ),
});

const USUAL_DAYS = 7;

/** The arguments of the query `apiUsage`, checked; the last week when no days are given. */
export function readUsageListing(
  args: PageArguments,
  now: Date,
): { of: { filter: UsageFilter; by: UsageColumn }; page: PageRequest } {
  const { by, filter } = UsageArguments.parse(args);
  const isByDay = by === 'DAY';
  const number = z.string().regex(/^\d{1,12}$/);
  const page = checkCursor(readPage(args), isByDay ? [TextPart] : [number, TextPart]);
  return {
    of: {
      by: columns[by],
      filter: {
        connectionIds: filter?.connectionId,
        changeSetIds: filter?.changeSetId,
        features: filter?.feature,
        since: filter?.since ?? firstDayOf(now, USUAL_DAYS),
        until: filter?.until ?? dayOf(now),
      },
    },
    page,
  };
}

const BudgetUsage = z.object({
  by: z.enum(groupings),
  days: z.int().min(1).max(90).nullish(),
});

/** The arguments of `ApiBudget.usage`, checked. */
export function readBudgetUsage(args: unknown, now: Date): { by: UsageColumn; since: string } {
  const { by, days } = BudgetUsage.parse(args);
  return { by: columns[by], since: firstDayOf(now, days ?? USUAL_DAYS) };
}

const lanes = { INTERACTIVE: 'interactive', EVENT: 'event', BULK: 'bulk' } as const;
const laneNames = ['INTERACTIVE', 'EVENT', 'BULK'] as const;

const CallArguments = z.object({
  filter: optional(
    z.object({
      connectionId: ids,
      operation: texts,
      feature: texts,
      lane: optional(z.array(z.enum(laneNames)).max(3)),
      outcome: texts,
      changeSetId: optional(boundedText(64)),
      after: optional(z.date()),
      before: optional(z.date()),
    }),
  ),
  orderBy: orderBy(['AT']),
});

/** The arguments of the query `apiCalls`, checked; newest first when no order is given. */
export function readCallListing(args: PageArguments): {
  filter: CallFilter;
  page: PageRequest & { newestFirst: boolean };
} {
  const { filter, orderBy: order } = CallArguments.parse(args);
  const page = checkCursor(readPage(args), [IdPart]);
  return {
    filter: {
      connectionIds: filter?.connectionId,
      operations: filter?.operation,
      features: filter?.feature,
      lanes: filter?.lane?.map((lane) => lanes[lane]),
      outcomes: filter?.outcome?.map((outcome) => outcome.toLowerCase()),
      changeSetId: filter?.changeSetId,
      after: filter?.after,
      before: filter?.before,
    },
    page: { ...page, newestFirst: order?.direction !== 'ASC' },
  };
}
