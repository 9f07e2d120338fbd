import { expect, test } from 'vitest';
import { evaluating } from './environment.ts';
import { RUN_LIMITS } from './limits.ts';
import { treeOf } from './plan.ts';
import { call, comprehensionOf, isCall, nodesOf } from './tree/node.ts';
import { evaluate, valueOf } from '../test/evaluate.ts';

/** Which of them the library gives a tree, as its types do not say. */
const opsOf = (source: string): string[] => [
  ...new Set([...nodesOf(treeOf(evaluating.parse(source)))].map(({ op }) => op)),
];

test('SL-44 the tree shows what macros become, and where they repeat', () => {
  const [loop] = [...nodesOf(treeOf(evaluating.parse('[1].map(x, x > 0, x)')))].filter(
    ({ op }) => op === 'comprehension',
  );
  if (loop === undefined) throw new Error('no comprehension');
  expect(comprehensionOf(loop)).toMatchObject({ iterable: { op: 'list' }, step: { op: '?:' } });
  expect(opsOf('[1].exists_one(x, x > 0)')).toContain('comprehension');
  expect(opsOf('a.?b[?0]')).toEqual(['[?]', '.?', 'value', 'id']);
});

test('SL-44 calls are renamed under a macro too', () => {
  const nodes = [...nodesOf(treeOf(evaluating.parse('["a"].filter(x, x.matches("a"))')))];
  const named = nodes.filter((node) => isCall(node) && !node.meta.alternate);
  expect(named.map((node) => call(node).name)).toEqual(['matches']);
});

const record = {
  many: Array.from({ length: 10_000 }, (_, at) => at),
  few: Array.from({ length: 100 }, () => 0),
};

test.each([
  'few.all(x, true)',
  'few.exists(x, false)',
  'few.exists_one(x, false)',
  'few.map(x, x)',
  'few.filter(x, true)',
])('SL-44 every turn of %s is charged for', (loop) => {
  // nothing in it but the turns themselves is charged for
  expect(RUN_LIMITS.steps).toBeLessThan(record.many.length * record.few.length);
  expect(valueOf(`many.map(y, ${loop})`, record)).toBe('too_expensive');
});

test.each(['+', '-', '/'])('SL-44 what %s gives is looked at', (operator) => {
  const least = '-9223372036854775808';
  const source = { '+': 'b"ab" + b"a"', '-': `0 - (${least})`, '/': `(${least}) / -1` }[operator];
  expect(valueOf(`${source} == dyn(0)`)).toBe(operator === '+' ? false : 'number_overflow');
});

test('SL-44 an error in a replaced function says where it happened', () => {
  const source = '1 + int("x")';
  expect(evaluate(source)).toMatchObject({ code: 'bad_value', start: 4, end: source.length });
  expect(evaluate('a.b + 1', { a: {} })).toMatchObject({ code: 'missing_value', start: 2, end: 3 });
});
