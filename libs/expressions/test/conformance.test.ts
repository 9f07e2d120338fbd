import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tests as suite } from '@bufbuild/cel-spec/testdata/conformance.js';
import { expect, test } from 'vitest';
import { compileExpression } from '../src/compile.ts';
import { planOf } from '../src/plan.ts';
import { canonical, fromSpec, type SpecValue } from './spec-values.ts';

interface SpecTest {
  name: string;
  expr: string;
  value?: SpecValue;
  typedResult?: { result?: SpecValue };
  evalError?: unknown;
  checkOnly?: boolean;
  bindings?: Record<string, { value: SpecValue }>;
}

interface SpecSuite {
  name: string;
  suites?: SpecSuite[];
  tests?: { original: SpecTest }[];
}

/** Records are JSON: there are no protobuf messages here, and no tests of them. */
const PROTOBUF_FILES = ['proto2', 'proto2_ext', 'proto3', 'enums', 'dynamic', 'wrappers'];
const PROTOBUF =
  /TestAllTypes|conformance\.proto|google\.protobuf\.(?!Timestamp\b|Duration\b)|enumValue/;

const failed: string[] = [];
let passed = 0;

// the shape of the published data
for (const file of (suite as unknown as SpecSuite).suites ?? []) {
  if (PROTOBUF_FILES.includes(file.name)) continue;
  for (const section of file.suites ?? []) {
    for (const { original } of section.tests ?? []) {
      if (original.checkOnly === true || PROTOBUF.test(JSON.stringify(original))) continue;
      if (isPassing(original)) passed++;
      else failed.push(`${file.name}/${section.name}/${original.name}`);
    }
  }
}

test('SL-44 exactly the listed conformance tests fail', async () => {
  await expect(`${failed.join('\n')}\n`).toMatchFileSnapshot('conformance-failures.txt');
});

test('SL-44 the README says how many conformance tests pass', () => {
  const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8');
  expect(readme).toContain(`${passed} of ${passed + failed.length}`);
});

function isPassing({ expr, value, typedResult, evalError, bindings = {} }: SpecTest): boolean {
  const found = evaluate(expr, bindings);
  if (evalError !== undefined) return found === undefined;
  const wanted = value ?? typedResult?.result ?? { boolValue: true };
  return found === canonical(fromSpec(wanted));
}

/** Undefined when it fails, whether while it is checked or evaluated. */
function evaluate(expr: string, bindings: Record<string, { value: SpecValue }>) {
  try {
    const values = Object.entries(bindings).map(
      ([name, bound]) => [name, fromSpec(bound.value)] as const,
    );
    const result = planOf(expr)(new Map(values));
    const checked = compileExpression(expr, {
      variables: Object.fromEntries(values.map(([name]) => [name, 'any'])),
    });
    return checked.outcome === 'compiled' ? canonical(result) : undefined;
  } catch {
    return undefined;
  }
}
