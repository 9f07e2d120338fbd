import { expect, test } from 'vitest';
import { compileExpression } from '../compile.ts';
import { base } from '../environment.ts';
import { prepareRecord } from '../values/record.ts';
import { written } from './names.ts';
import { functions } from './table.ts';

const record = prepareRecord({}, {});
if (record.outcome === 'error') throw new Error(record.code);

test.each(functions)('SL-44 the example of $signature gives what the table says', (described) => {
  const compiled = compileExpression(described.example, { variables: {} });
  if (compiled.outcome === 'refused') throw new Error(compiled.problems[0]?.message);
  expect(compiled.evaluate(record)).toEqual({ outcome: 'value', value: described.result });
});

/** There, but of no use for a value of a field, or offered in another way. */
const unlisted = ['of', 'none', 'value', 'or', 'hex', 'base64', 'json', 'at'];

test('SL-44 every function there is can be found in the table', () => {
  const listed = new Set(functions.map(({ name }) => name.split('.').at(-1)));
  const names = base.getDefinitions().functions.map(({ name }) => written(name));
  const missing = names.filter((name) => !listed.has(name) && !unlisted.includes(name));
  expect([...new Set(missing)]).toEqual([]);
});
