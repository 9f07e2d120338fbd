import { Refusal } from '@manifold/errors';
import type { PageRequest } from '@manifold/subgraph';
import { z } from 'zod';

const ByTime = z.object({ cursor: z.tuple([z.iso.datetime(), z.string()]).optional() });
const ByText = z.object({ cursor: z.tuple([z.string(), z.string()]).optional() });

/** A cursor of another list, or of this list in another order, is refused. */
export function checkCursor({ cursor }: PageRequest, isByTime: boolean): void {
  (isByTime ? ByTime : ByText).parse({ cursor });
}

interface Nested {
  and?: Nested[] | null;
  or?: Nested[] | null;
  not?: Nested | null;
}

const MAX_PARTS = 200;

/** A filter of more than 200 parts is refused before it becomes a statement. */
export function checkFilter(filter: Nested): void {
  const waiting = [filter];
  let parts = 0;
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    parts += 1;
    waiting.push(...(part.and ?? []), ...(part.or ?? []), ...(part.not ? [part.not] : []));
    if (parts + waiting.length <= MAX_PARTS) continue;
    throw new Refusal('invalid', `A filter has at most ${MAX_PARTS} parts`, {
      reason: 'too_many_items',
      field: 'filter',
      fix: 'Ask with several smaller filters.',
    });
  }
}
