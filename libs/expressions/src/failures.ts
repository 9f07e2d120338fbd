import { EvaluationError, ParseError, TypeError as CelTypeError } from '@marcbachmann/cel-js';

/** Why an expression gave no value for a record. */
export type FailureCode =
  | 'missing_value'
  | 'wrong_type'
  | 'bad_value'
  | 'out_of_range'
  | 'number_overflow'
  | 'division_by_zero'
  | 'bad_pattern'
  | 'wrong_result'
  | 'too_expensive'
  | 'too_large'
  | 'record_too_large'
  | 'not_compiled'
  | 'given_up'
  | 'timed_out'
  | 'failed';

/** Values of the record are never part of a failure: it is stored and shown. */
export interface Failure {
  readonly outcome: 'error';
  readonly code: FailureCode;
  /** Cause, then fix. */
  readonly message: string;
  /** The part of the source that failed, where known. */
  readonly start: number | null;
  readonly end: number | null;
}

const words: Record<FailureCode, string> = {
  missing_value:
    'A value the expression reads is not there. Ask with has(…) first, or give another with default(…, …).',
  wrong_type:
    'A value has a type this cannot be done with. Convert it, for example with string(…), double(…) or int(…).',
  bad_value: 'A value cannot be converted or read as what is asked for. Check its form first.',
  out_of_range:
    'A position lies outside the text or list, or an argument outside what is allowed. Check size(…) first.',
  number_overflow: 'A number is too big for what is done with it. Calculate with double(…).',
  division_by_zero: 'Something is divided by zero. Check the divisor first.',
  bad_pattern:
    'A pattern for matches(…) cannot be used. RE2 knows no look-ahead and no back-references.',
  wrong_result:
    'The result does not fit the field it is for. Convert it, or choose a field of its type.',
  too_expensive:
    'Evaluating takes more steps or time than one record may use. Go through shorter lists, and fewer of them inside each other.',
  too_large: 'A text, a list or the result gets too long. Cut it, or filter it first.',
  record_too_large:
    'The record is too big or nested too deeply to calculate with. Collect less for it.',
  not_compiled: 'The expression is not valid. Correct it where it was saved.',
  given_up:
    'The expression was too expensive for records before this one and was left out of the rest of the batch. Make it cheaper.',
  timed_out: 'The batch took too long, and this record was not reached. Evaluate smaller batches.',
  failed: 'The expression could not be evaluated. Simplify it.',
};

export const failure = (code: FailureCode, range?: { start: number; end: number }): Failure => ({
  outcome: 'error',
  code,
  message: words[code],
  start: range?.start ?? null,
  end: range?.end ?? null,
});

/** Stops an evaluation from inside a function; the place in the source is added on the way out. */
export function stop(code: FailureCode): never {
  throw new EvaluationError({ code, message: code });
}

/** The library's codes in ours. Its messages quote values, so they are never passed on. */
const translated: Record<string, FailureCode> = {
  no_such_key: 'missing_value',
  unknown_variable: 'missing_value',
  optional_value_missing: 'missing_value',
  index_out_of_bounds: 'missing_value',
  index_out_of_range: 'out_of_range',
  numeric_overflow: 'number_overflow',
  division_by_zero: 'division_by_zero',
  modulo_by_zero: 'division_by_zero',
  bool_conversion_error: 'bad_value',
  double_conversion_error: 'bad_value',
  uint_conversion_error: 'bad_value',
  limit_exceeded: 'too_expensive',
};

/** What an error thrown while evaluating means to whoever wrote the expression. */
export function failureOf(error: unknown): Failure {
  if (error instanceof RangeError) return failure('too_expensive');
  if (!isLanguageError(error)) return failure('failed');
  const { code } = error;
  const own = code in words ? (code as FailureCode) : undefined;
  return failure(own ?? translated[code] ?? 'wrong_type', error.range);
}

const isLanguageError = (error: unknown): error is EvaluationError | ParseError | CelTypeError =>
  error instanceof EvaluationError || error instanceof ParseError || error instanceof CelTypeError;

/** Whether an error only says that something is not there. */
export const isAbsence = (error: unknown): boolean =>
  error instanceof EvaluationError &&
  (error.code === 'missing_value' || translated[error.code] === 'missing_value');
