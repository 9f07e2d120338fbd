import { EventId, MAX_DEAD_LETTERS } from '@manifold/contracts';
import { keepersOfDeadLetters } from '@manifold/messaging';
import { boundedText, optional } from '@manifold/subgraph';
import { z } from 'zod';
import type { Wanted } from './keepers.ts';

const MOST_REPLAYED = 500;

const messageIds = z.array(EventId).min(1).max(MAX_DEAD_LETTERS);

const Filter = z
  .object({
    service: optional(z.enum(keepersOfDeadLetters)),
    messageIds: optional(messageIds),
    messageName: optional(boundedText(128)),
    reason: optional(boundedText(64)),
    parkedBefore: optional(z.date().transform((time) => time.toISOString())),
  })
  .transform(({ service, ...filter }): Wanted => ({ service, filter }));

const ListArguments = z.object({
  filter: optional(Filter).transform((wanted): Wanted => wanted ?? { filter: {} }),
  first: z.int().min(0).max(MAX_DEAD_LETTERS),
});
const ReplayArguments = z.object({
  input: z.object({ filter: Filter, first: z.int().min(1).max(MOST_REPLAYED) }),
});
const DiscardArguments = z.object({ input: z.object({ messageIds }) });

/** Which messages are asked for. */
export function readListArguments(args: unknown): Wanted & { first: number } {
  const { filter, first } = ListArguments.parse(args);
  return { ...filter, first };
}

/** Which messages are to be processed again. */
export function readReplayArguments(args: unknown): Wanted & { first: number } {
  const { filter, first } = ReplayArguments.parse(args).input;
  return { ...filter, first };
}

/** Which messages are to be thrown away. */
export const readDiscardArguments = (args: unknown): EventId[] =>
  DiscardArguments.parse(args).input.messageIds;
