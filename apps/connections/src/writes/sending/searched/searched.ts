import { z } from 'zod';

/** What somebody made since would not be in Pipedrive's search index yet; a window of calls is over sooner. */
const KEEP_MS = 10_000;

const shape = z.record(z.string(), z.object({ at: z.number(), ids: z.array(z.string()) }));

/** What searches for the keys of a step have shown, by hash of the key: another one would be paid for in vain. */
export type Searched = Map<string, { at: number; ids: string[] }>;

/** What is kept of the tries moments ago. */
export const readSearched = (kept: string | null, now: Date): Searched =>
  new Map(
    kept === null
      ? []
      : Object.entries(shape.parse(JSON.parse(kept))).filter(
          ([, { at }]) => Number(now) - at < KEEP_MS,
        ),
  );

/** The same to be kept while the step is put off. */
export const keptSearched = (searched: Searched): string | null =>
  searched.size === 0 ? null : JSON.stringify(Object.fromEntries(searched));
