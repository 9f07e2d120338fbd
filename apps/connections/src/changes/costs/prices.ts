import type { PipedriveObject } from '@manifold/contracts';
import { operations, recordOperations } from '@manifold/pipedrive';
import { readingTokens } from '../reading/reading.ts';
import type { ChangeEffect } from '../tables.ts';

/** Published price of joining two records. */
const MERGE_TOKENS = 40;

/** Tokens of the calls that carry out a change. */
export function priceOf(object: PipedriveObject, effect: ChangeEffect): number {
  if (object === 'user') return 0;
  const calls = recordOperations[object];
  switch (effect) {
    case 'create':
      return operations[calls.create].priceTokens;
    case 'update':
      return operations[calls.update].priceTokens;
    case 'delete':
      // there is no way back, so the record is always read first
      return operations[calls.get].priceTokens + operations[calls.remove].priceTokens;
    case 'merge':
      return MERGE_TOKENS;
    case 'link':
    case 'none':
      return 0;
  }
}

/** Searches and lists cost the same for every object that has them. */
export const SEARCH_TOKENS = operations.searchPersons.priceTokens;

/** What looking at records once more takes before they are written, by the kind of record. */
export const recheckTokens = (
  tallies: readonly { object: PipedriveObject; rechecked: number }[],
): number =>
  tallies.reduce(
    (sum, { object, rechecked }) =>
      sum + (object === 'user' ? 0 : readingTokens(object, rechecked)),
    0,
  );
