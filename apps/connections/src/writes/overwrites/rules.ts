import type { FieldValue } from '@manifold/contracts';
import { isSameValue } from '../diff/rules.ts';

type Fields = Readonly<Record<string, FieldValue>>;

/** What was lost by an update, and what took its place. */
export interface Lost {
  theirs: Record<string, FieldValue>;
  ours: Record<string, FieldValue>;
}

/**
 * The fields of an update that no longer held what it was planned on. `previous` are the values its
 * webhook says it replaced; fields that did not change are not among them.
 */
export function decideOverwrite(update: {
  before: Fields;
  after: Fields;
  previous: Fields;
}): Lost | undefined {
  const lost = Object.entries(update.after).flatMap(([code, value]) => {
    const replaced = update.previous[code];
    if (replaced === undefined || isSameValue(replaced, value)) return [];
    return isSameValue(replaced, update.before[code] ?? null) ? [] : [{ code, replaced, value }];
  });
  if (lost.length === 0) return undefined;
  return {
    theirs: Object.fromEntries(lost.map(({ code, replaced }) => [code, replaced])),
    ours: Object.fromEntries(lost.map(({ code, value }) => [code, value])),
  };
}

/** Whether a record as a webhook shows it is what an update under way makes of it. */
export const isMadeBy = (record: Fields, after: Fields): boolean =>
  Object.entries(after).every(([code, value]) => isSameValue(record[code] ?? null, value));
