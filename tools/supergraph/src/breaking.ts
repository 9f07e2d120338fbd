import { buildSchema, findBreakingChanges } from 'graphql';

/** What a client of the earlier supergraph would notice, one sentence each. */
export function listBreakingChanges(earlierSdl: string, nowSdl: string): string[] {
  const [earlier, now] = [earlierSdl, nowSdl].map((sdl) => buildSchema(sdl, { assumeValid: true }));
  if (!earlier || !now) return [];
  return findBreakingChanges(earlier, now)
    .filter(({ description }) => !isMachinery(description))
    .map(({ description }) => `Breaking: ${description}`);
}

/** Types and directives by which the composed file routes; no client sees them. */
const isMachinery = (description: string): boolean => /\b(join|link)__/.test(description);
