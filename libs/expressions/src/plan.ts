import { evaluating, meter } from './environment.ts';
import { chargeFor } from './tree/charging.ts';
import type { Node } from './tree/node.ts';
import { replaceBuiltIns } from './tree/prepare.ts';

/** Takes the variables of one record, and throws where there is no value. */
export type Plan = (values: ReadonlyMap<string, unknown>) => unknown;

/** Makes an expression ready to be evaluated within its limits; throws when it cannot be. */
export function planOf(source: string): Plan {
  const parsed = evaluating.parse(source);
  const root = treeOf(parsed);
  replaceBuiltIns(root);
  const { error } = parsed.check();
  if (error !== undefined) throw error;
  // after the check, which chooses how some nodes are evaluated
  chargeFor(root, meter);
  return (values) => {
    meter.start();
    const value: unknown = parsed(values);
    // an error of the meter may have been swallowed by || or &&
    meter.settle();
    return value;
  };
}

/** Its types leave out what we depend on; `hooks.test.ts` watches it. */
export const treeOf = (parsed: { ast: unknown }): Node => parsed.ast as Node;
