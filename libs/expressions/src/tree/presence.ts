import { Optional } from '@marcbachmann/cel-js';
import { isAbsence, stop } from '../failures.ts';
import { lookUp } from './access.ts';
import { type Evaluator, fieldOf, type Macro, type Node } from './node.ts';

/**
 * `has(e.f)` with any `e`, and `has(variable)`; the library's takes only names with dots, and does
 * not see that a field is unknown.
 */
export const hasMacro = (asked: Node): Macro => ({
  async: false,
  typeCheck(checker, _macro, context) {
    if (asked.op !== '.' && asked.op !== 'id') {
      throw checker.createError('invalid_macro_argument', 'has() takes a field', asked);
    }
    checker.check(asked, context);
    return checker.getType('bool');
  },
  evaluate(evaluator, _macro, context) {
    if (asked.op === 'id') return isThere(evaluator, asked, context);
    const { of, key } = fieldOf(asked);
    const holder = evaluator.run(of, context);
    const held = holder instanceof Optional ? holder.orValue(undefined) : holder;
    if (held === undefined) return false;
    if (Array.isArray(held)) return stop('wrong_type');
    return lookUp(held, key) !== undefined;
  },
});

function isThere(evaluator: Evaluator, node: Node, context: unknown): boolean {
  try {
    evaluator.run(node, context);
    return true;
  } catch (error) {
    if (isAbsence(error)) return false;
    throw error;
  }
}

/** `default(a, b)`: b when a, or something on the way to it, is missing or null. */
export const defaultMacro = ({ args }: { args: Node[] }): Macro => {
  const [wanted, otherwise] = args as [Node, Node];
  return {
    async: false,
    typeCheck(checker, _macro, context) {
      const found = checker.check(wanted, context);
      const given = checker.check(otherwise, context);
      const type = found.kind === 'optional' ? (found.valueType ?? found) : found;
      if (type.name === 'null') return given;
      if (given.name === 'null') return checker.getType('dyn');
      const both = type.unify(checker.registry, given);
      if (both !== null) return both;
      throw checker.createError(
        'incompatible_ternary_branches',
        'default() types differ',
        otherwise,
      );
    },
    evaluate(evaluator, _macro, context) {
      const found = attempt(evaluator, wanted, context);
      return found === undefined || found === null ? evaluator.run(otherwise, context) : found;
    },
  };
};

function attempt(evaluator: Evaluator, node: Node, context: unknown): unknown {
  try {
    const found = evaluator.run(node, context);
    return found instanceof Optional ? found.orValue(undefined) : found;
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}
