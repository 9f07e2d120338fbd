import type { Environment } from '@marcbachmann/cel-js';

type Numeric = number | bigint;

const arithmetic: Record<string, (left: number, right: number) => number> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => left / right,
};

const order: Record<string, (left: number, right: number) => boolean> = {
  '<': (left, right) => left < right,
  '<=': (left, right) => left <= right,
  '>': (left, right) => left > right,
  '>=': (left, right) => left >= right,
};

/**
 * More than the language says: integers and fractions in one calculation or comparison, since
 * whoever writes `price * 2` does not think of number types; and bytes in order.
 */
export function registerOperators(environment: Environment): void {
  for (const [operator, calculate] of Object.entries(arithmetic)) {
    const apply = (left: Numeric, right: Numeric) => calculate(Number(left), Number(right));
    environment.registerOperator(`int ${operator} double: double`, apply);
    environment.registerOperator(`double ${operator} int: double`, apply);
  }
  environment.registerOperator(
    'int == double',
    (left: bigint, right: number) =>
      // oxlint-disable-next-line eqeqeq
      left == (right as unknown),
  );
  for (const [operator, isOrdered] of Object.entries(order)) {
    environment.registerOperator(`bytes ${operator} bytes`, (left: Uint8Array, right: Uint8Array) =>
      isOrdered(Buffer.compare(left, right), 0),
    );
  }
}
