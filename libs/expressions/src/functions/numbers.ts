import { UnsignedInt } from '@marcbachmann/cel-js/evaluator';
import { stop } from '../failures.ts';
import type { Checker, CheckedType, Evaluator, Macro, Node } from '../tree/node.ts';
import { inInt64 } from './conversions.ts';
import type { Definitions } from './definition.ts';
import { extreme } from './lists.ts';

/** Halves go away from zero. */
const round = (value: number): number => Math.sign(value) * Math.round(Math.abs(value));

function roundTo(value: number, digits: bigint): number {
  if (digits < 0n || digits > 15n) return stop('out_of_range');
  const factor = 10 ** Number(digits);
  const rounded = round(value * factor) / factor;
  return Number.isFinite(rounded) ? rounded : value;
}

const same = (_: unknown, value: unknown): unknown => value;

/** Methods of the name space `math`; it is what they get first. */
export const mathFunctions: Definitions = {
  'Math.ceil(double): double': (_: unknown, value: number) => Math.ceil(value),
  'Math.ceil(int): int': same,
  'Math.floor(double): double': (_: unknown, value: number) => Math.floor(value),
  'Math.floor(int): int': same,
  'Math.round(double): double': (_: unknown, value: number) => round(value),
  'Math.round(int): int': same,
  'Math.round(double, int): double': (_: unknown, value: number, digits: bigint) =>
    roundTo(value, digits),
  'Math.trunc(double): double': (_: unknown, value: number) => Math.trunc(value),
  'Math.trunc(int): int': same,
  'Math.abs(int): int': (_: unknown, value: bigint) => inInt64(value < 0n ? -value : value),
  'Math.abs(double): double': (_: unknown, value: number) => Math.abs(value),
  'Math.abs(uint): uint': same,
  'Math.sign(int): int': (_: unknown, value: bigint) => (value > 0n ? 1n : value < 0n ? -1n : 0n),
  'Math.sign(double): double': (_: unknown, value: number) => Math.sign(value),
  'Math.sign(uint): uint': (_: unknown, value: UnsignedInt) =>
    new UnsignedInt(value.value > 0n ? 1n : 0n),
  'Math.isNaN(double): bool': (_: unknown, value: number) => Number.isNaN(value),
  'Math.isInf(double): bool': (_: unknown, value: number) =>
    value === Infinity || value === -Infinity,
  'Math.isFinite(double): bool': (_: unknown, value: number) => Number.isFinite(value),
};

const NUMERIC = new Set(['int', 'uint', 'double']);

const expander =
  (isBetter: (order: number) => boolean) =>
  ({ args, ast }: { args: Node[]; ast: Node }): Macro => ({
    async: false,
    typeCheck: (checker, _macro, context) =>
      commonType(
        checker,
        args.map((arg) => checker.check(arg, context)),
        ast,
      ),
    evaluate: (evaluator, _macro, context) =>
      extreme(numbersOf(evaluator, args, context), isBetter),
  });

/** `math.greatest` and `math.least`: of up to eight numbers, or of a list of them. */
export const greatest = expander((order) => order > 0);
export const least = expander((order) => order < 0);

function commonType(checker: Checker, given: CheckedType[], node: Node): CheckedType {
  const [first] = given;
  const isList = given.length === 1 && first?.kind === 'list';
  const types = isList && first.valueType !== undefined ? [first.valueType] : given;
  const isRefused = types.some(({ kind, name }) => kind !== 'dyn' && !NUMERIC.has(name));
  if (isRefused) throw checker.createError('no_matching_overload', 'numbers only', node);
  const [type] = types;
  const isOne = type !== undefined && types.every(({ name }) => name === type.name);
  // a dyn may turn out to be a list
  return isOne && type.kind !== 'dyn' ? type : checker.getType('dyn');
}

function numbersOf(evaluator: Evaluator, args: Node[], context: unknown): unknown[] {
  const values = args.map((arg) => evaluator.run(arg, context));
  const numbers = values.length === 1 && Array.isArray(values[0]) ? values[0] : values;
  return numbers.every(isNumber) ? numbers : stop('wrong_type');
}

const isNumber = (value: unknown): boolean =>
  typeof value === 'bigint' || typeof value === 'number' || value instanceof UnsignedInt;
