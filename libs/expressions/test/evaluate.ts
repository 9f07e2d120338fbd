import type { VariableType } from '@manifold/contracts';
import { compileExpression, type Outcome, prepareRecord, type Variables } from '../src/index.ts';

/** What an expression gives for a record, or why it does not. */
export function evaluate(
  source: string,
  record: Readonly<Record<string, unknown>> = {},
  { variables = anyOf(record), resultType }: Given = {},
): Outcome {
  const compiled = compileExpression(source, { variables, resultType });
  if (compiled.outcome === 'refused') {
    throw new Error(compiled.problems.map(({ code, message }) => `${code}: ${message}`).join('\n'));
  }
  const prepared = prepareRecord(record, variables);
  return prepared.outcome === 'error' ? prepared : compiled.evaluate(prepared);
}

interface Given {
  variables?: Variables;
  resultType?: VariableType;
}

/** The value or the code of the failure. */
export function valueOf(source: string, record: Readonly<Record<string, unknown>> = {}): unknown {
  const outcome = evaluate(source, record);
  return outcome.outcome === 'value' ? outcome.value : outcome.code;
}

/** The code of the problem an expression is refused with, or `compiled`. */
export function refusalOf(source: string, variables: Variables = {}): string | undefined {
  const compiled = compileExpression(source, { variables });
  return compiled.outcome === 'refused' ? compiled.problems[0]?.code : compiled.outcome;
}

const anyOf = (record: object): Variables =>
  Object.fromEntries(Object.keys(record).map((name) => [name, 'any']));
