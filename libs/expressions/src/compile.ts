import type { VariableType } from '@manifold/contracts';
import { type Typed, typedEnvironment } from './environment.ts';
import { type Failure, failureOf } from './failures.ts';
import { SOURCE_LIMITS } from './limits.ts';
import { planOf, treeOf } from './plan.ts';
import { type Problem, problem, problemOf } from './problems.ts';
import { isVariableName, type Variables } from './schema.ts';
import { checkTree } from './tree/checking.ts';
import { replaceBuiltIns } from './tree/prepare.ts';
import { typeName } from './types.ts';
import { fitResult, isFitting, typesFor } from './values/fit.ts';
import type { PreparedRecord } from './values/record.ts';
import { type ResultValue, resultOf } from './values/result.ts';

/** What an expression gave for one record. */
export type Outcome = { readonly outcome: 'value'; readonly value: ResultValue } | Failure;

export interface CompiledExpression {
  readonly outcome: 'compiled';
  /** The type of the result as far as it is known: `int`, `list<string>`, `dyn`, … */
  readonly type: string;
  /** Never throws, and uses no more than `RUN_LIMITS`. */
  readonly evaluate: (record: PreparedRecord) => Outcome;
}

export interface RefusedExpression {
  readonly outcome: 'refused';
  readonly problems: readonly Problem[];
}

export interface CompileOptions {
  /** The only names there are. Give the same object again: what is made of it is kept. */
  readonly variables: Variables;
  /** The type of the field the result is for; without one any JSON value will do. */
  readonly resultType?: VariableType | undefined;
}

/** Checks an expression as it is saved, and makes it ready to be evaluated. */
export function compileExpression(
  source: string,
  { variables, resultType }: CompileOptions,
): CompiledExpression | RefusedExpression {
  const everything = { start: 0, end: source.length };
  const refuse = (...problems: Problem[]): RefusedExpression => ({ outcome: 'refused', problems });
  if (source.trim() === '') {
    return refuse(problem('empty', 'There is no expression. Write one.', everything));
  }
  if (source.length > SOURCE_LIMITS.chars) {
    const message = `An expression has at most ${SOURCE_LIMITS.chars} characters. Shorten it.`;
    return refuse(problem('too_long', message, everything));
  }
  try {
    const checked = checkTyped(source, typedEnvironment(variables));
    if (checked.problems.length > 0) return refuse(...checked.problems);
    const type = typeName(checked.type.replace(/^optional<(.+)>$/, '$1'));
    if (resultType !== undefined && !isFitting(type, resultType)) {
      const message = `The result is ${type}, the field takes ${typesFor(resultType).join(' or ')}. Convert it, or choose another field.`;
      return refuse(problem('wrong_result', message, everything));
    }
    return { outcome: 'compiled', type, evaluate: evaluatorOf(source, resultType) };
  } catch (error) {
    return refuse(problemOf(error, source, Object.keys(variables).filter(isVariableName)));
  }
}

function checkTyped(
  source: string,
  { environment, fields }: Typed,
): { type: string; problems: Problem[] } {
  const parsed = environment.parse(source);
  const root = treeOf(parsed);
  replaceBuiltIns(root);
  const { type = 'dyn', error } = parsed.check();
  if (error !== undefined) throw error;
  return { type, problems: checkTree(root, fields) };
}

function evaluatorOf(
  source: string,
  resultType: VariableType | undefined,
): CompiledExpression['evaluate'] {
  const plan = planOf(source);
  return ({ values }) => {
    try {
      const value = plan(values);
      const result = resultType === undefined ? resultOf(value) : fitResult(value, resultType);
      return { outcome: 'value', value: result };
    } catch (error) {
      return failureOf(error);
    }
  };
}
