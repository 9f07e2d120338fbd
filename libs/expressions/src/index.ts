export {
  type CompiledExpression,
  compileExpression,
  type CompileOptions,
  type Outcome,
  type RefusedExpression,
} from './compile.ts';
export type { Failure, FailureCode } from './failures.ts';
export { type FunctionDescription, functions } from './functions/table.ts';
export { RECORD_LIMITS, RESULT_LIMITS, RUN_LIMITS, SOURCE_LIMITS } from './limits.ts';
export {
  type Batch,
  type Evaluator,
  type EvaluatorOptions,
  startEvaluator,
} from './pool/evaluator.ts';
export { EvaluatorBusy } from './pool/lanes.ts';
export type { BatchExpression, BatchRecord } from './pool/slice.ts';
export type { Problem, ProblemCode } from './problems.ts';
export { isVariableName, schemaOf, type ValueSchema, type Variables } from './schema.ts';
export { type PreparedRecord, prepareRecord } from './values/record.ts';
export type { ResultValue } from './values/result.ts';
