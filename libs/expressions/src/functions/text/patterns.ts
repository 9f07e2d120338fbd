import { RE2JS } from '@bufbuild/re2';
import { stop } from '../../failures.ts';
import { RUN_LIMITS, SOURCE_LIMITS } from '../../limits.ts';
import type { DefinitionsWith } from '../definition.ts';

const CACHED = 128;
const COMPILING = 64;
/** Characters times instructions of the pattern. */
const MATCHED_PER_STEP = 16;
const cache = new Map<string, RE2JS>();

/** Undefined when RE2 does not accept the pattern. */
export function compilePattern(pattern: string): RE2JS | undefined {
  if (pattern.length > SOURCE_LIMITS.patternChars) return undefined;
  const known = cache.get(pattern);
  if (known !== undefined) return known;
  try {
    const compiled = RE2JS.compile(pattern);
    const [oldest] = cache.keys();
    if (cache.size >= CACHED && oldest !== undefined) cache.delete(oldest);
    cache.set(pattern, compiled);
    return compiled;
  } catch {
    return undefined;
  }
}

/** Matching takes time in proportion to text and program, and cannot be stopped halfway. */
export const patternFunctions: DefinitionsWith = (meter) => {
  const matches = (text: string, pattern: string): boolean => {
    if (text.length > RUN_LIMITS.matchedTextChars) stop('too_large');
    const compiled = compilePattern(pattern) ?? stop('bad_pattern');
    const instructions = compiled.re2().prog.numInst();
    meter.charge(COMPILING + Math.ceil((text.length * instructions) / MATCHED_PER_STEP));
    return compiled.test(text);
  };
  return { 'string.matches(string): bool': matches, 'matches(string, string): bool': matches };
};
