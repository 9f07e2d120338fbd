import { EvaluationError } from '@marcbachmann/cel-js';
import { Duration } from '@marcbachmann/cel-js/evaluator';
import { stop } from '../failures.ts';
import { inInt64 } from '../functions/conversions.ts';
import { isEqual } from '../functions/equality.ts';
import { isDuration } from '../functions/time/durations.ts';
import { isInstant } from '../functions/time/instants.ts';
import type { Meter } from '../meter.ts';
import {
  mapKey,
  readElement,
  readField,
  readOptionalElement,
  readOptionalField,
} from './access.ts';
import {
  comprehensionOf,
  entriesOf,
  type Evaluate,
  isCall,
  type Node,
  nodesOf,
  pairOf,
} from './node.ts';

/** Puts the meter into everything that repeats or grows, once the tree is checked. */
export function chargeFor(root: Node, meter: Meter): void {
  const own = evaluatorsWith(meter);
  for (const node of nodesOf(root)) {
    const evaluate = own[node.op] ?? resultChecked(node, meter);
    if (evaluate !== undefined) node.setMeta('evaluate', placed(evaluate));
    else if (node.op === 'comprehension') chargeComprehension(node, meter);
  }
}

/** An error says where in the source it happened. */
const placed =
  (evaluate: Evaluate): Evaluate =>
  (evaluator, node, context) => {
    try {
      return evaluate(evaluator, node, context);
    } catch (error) {
      throw error instanceof EvaluationError ? error.withAst(node) : error;
    }
  };

/** The node's own way, with a look at what comes out of it. */
function resultChecked(node: Node, meter: Meter): Evaluate | undefined {
  const check = checkOf(node, meter);
  const { evaluate } = node.meta;
  return (
    check &&
    ((evaluator, self, context) => {
      const result = evaluate(evaluator, self, context);
      check(result);
      return result;
    })
  );
}

function checkOf(node: Node, meter: Meter): ((result: unknown) => void) | undefined {
  if (['+', '-', '/', '-_'].includes(node.op)) {
    return (result) => {
      refuseOutOfRange(result);
      meter.weigh(result);
    };
  }
  // macros do their work through nodes of their own
  const isMacro = node.meta.alternate !== undefined || node.meta.macro !== undefined;
  return node.op === 'list' || (isCall(node) && !isMacro)
    ? (result) => meter.weigh(result)
    : undefined;
}

/** The library lets some results grow beyond what the language allows. */
function refuseOutOfRange(value: unknown): void {
  if (typeof value === 'bigint') inInt64(value);
  else if (value instanceof Date && !isInstant(value)) stop('out_of_range');
  else if (value instanceof Duration && !isDuration(value)) stop('out_of_range');
}

function chargeComprehension(node: Node, meter: Meter): void {
  const comprehension = comprehensionOf(node);
  const { condition } = comprehension;
  comprehension.condition = (soFar) => {
    meter.charge(1);
    return condition === undefined || condition(soFar);
  };
}

const evaluatorsWith = (meter: Meter): Record<string, Evaluate> => ({
  '.': readField,
  '[]': readElement,
  '.?': readOptionalField,
  '[?]': readOptionalElement,
  '==': both((left, right) => isEqual(left, right, meter)),
  '!=': both((left, right) => !isEqual(left, right, meter)),
  in: both((wanted, holder) => isIn(wanted, holder, meter)),
  map: (evaluator, node, context) => {
    const made = new Map<unknown, unknown>();
    meter.charge(1 + entriesOf(node).length);
    for (const [key, value] of entriesOf(node)) {
      const name = literalKey(evaluator.run(key, context));
      if (made.has(name)) stop('bad_value');
      made.set(name, evaluator.run(value, context));
    }
    return made;
  },
});

const both =
  (compare: (left: unknown, right: unknown) => boolean): Evaluate =>
  (evaluator, node, context) => {
    const [left, right] = pairOf(node);
    return compare(evaluator.run(left, context), evaluator.run(right, context));
  };

function isIn(wanted: unknown, holder: unknown, meter: Meter): boolean {
  if (holder instanceof Map) return holder.has(mapKey(wanted));
  if (!Array.isArray(holder)) return stop('wrong_type');
  return holder.some((item) => isEqual(wanted, item, meter));
}

function literalKey(key: unknown): unknown {
  if (typeof key === 'number') return stop('wrong_type');
  const name = mapKey(key);
  return ['string', 'bigint', 'boolean'].includes(typeof name) ? name : stop('wrong_type');
}
