import { optional } from '@manifold/subgraph';
import { z } from 'zod';

const Keys = z.object({ keys: optional(z.array(z.string().max(64)).max(500)) });

/** The variables somebody asks for; undefined for all of them. */
export function readKeys(args: unknown): ReadonlySet<string> | undefined {
  const { keys } = Keys.parse(args);
  return keys && new Set(keys);
}
