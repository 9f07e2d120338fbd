/** How big an expression may be when it is saved. */
export const SOURCE_LIMITS = {
  chars: 4_096,
  nodes: 1_000,
  depth: 64,
  literalElements: 256,
  callArguments: 16,
  nestedComprehensions: 3,
  patternChars: 512,
} as const;

/** What one evaluation may take. */
export const RUN_LIMITS = {
  steps: 200_000,
  cpuMs: 250,
  textChars: 262_144,
  listItems: 20_000,
  matchedTextChars: 16_384,
} as const;

/** How big a record may be; measured before anything is converted. */
export const RECORD_LIMITS = { bytes: 1_048_576, depth: 64, listItems: 10_000 } as const;

/** How big a result may be, everything in it counted. */
export const RESULT_LIMITS = { values: 20_000, chars: 262_144, depth: 16 } as const;
