import { operations, recordOperations } from '@manifold/pipedrive';
import { priceOf, SEARCH_TOKENS } from '../../changes/costs/prices.ts';
import type { Demand } from './rules.ts';
import type { QueuedSteps } from './store.ts';

/** Records one list call looks at before a change set writes them. */
const LOOKED_AT_ONCE = 100;

/** What steps of one kind will take: those with a plan as planned, the others by the price list. */
export function demandOf(group: QueuedSteps): Demand {
  const planned = { tokens: group.planned_tokens, calls: group.planned_calls, searches: 0 };
  const looks = group.operation === 'create' ? 0 : Math.ceil(group.planned_calls / LOOKED_AT_ONCE);
  const free = unplanned(group);
  return {
    lane: group.lane,
    tokens: planned.tokens + looks * operations.getPersons.priceTokens + free.tokens,
    calls: planned.calls + looks + free.calls,
    searches: free.searches,
  };
}

/** A linked record is read, any other searched for; then it is written. */
function unplanned({ object, operation, steps, planned, linked }: QueuedSteps) {
  const count = steps - planned;
  if (object === 'user' || count === 0) return { tokens: 0, calls: 0, searches: 0 };
  const writes = operation === 'link' ? 0 : count;
  const searches = operation === 'create' ? 0 : count - linked;
  const reads = operation === 'create' ? 0 : linked;
  const writeTokens = priceOf(object, effectOf(operation));
  const readTokens = operations[recordOperations[object].get].priceTokens;
  return {
    tokens: writes * writeTokens + reads * readTokens + searches * SEARCH_TOKENS,
    calls: writes + reads + searches,
    searches,
  };
}

/** An upsert costs the same whether it makes a record or changes one. */
function effectOf(operation: QueuedSteps['operation']) {
  return operation === 'upsert' ? 'update' : operation;
}
