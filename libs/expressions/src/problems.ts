import { ParseError, TypeError as CelTypeError } from '@marcbachmann/cel-js';
import { functions } from './functions/table.ts';
import { written } from './functions/names.ts';
import { call, isCall, type Node } from './tree/node.ts';
import { typeName } from './types.ts';

/** Why an expression cannot be saved. */
export type ProblemCode =
  | 'empty'
  | 'too_long'
  | 'too_complex'
  | 'syntax'
  | 'unknown_name'
  | 'unknown_field'
  | 'unknown_function'
  | 'wrong_type'
  | 'bad_pattern'
  | 'wrong_result';

/** Something to correct, and where in the source it is. */
export interface Problem {
  readonly code: ProblemCode;
  /** Cause, then fix. */
  readonly message: string;
  readonly start: number;
  readonly end: number;
}

export interface Place {
  readonly start: number;
  readonly end: number;
}

export const problem = (code: ProblemCode, message: string, { start, end }: Place): Problem => ({
  code,
  message,
  start,
  end,
});

/** An error of the parser or checker in our words. */
export function problemOf(error: unknown, source: string, names: readonly string[]): Problem {
  const everything = { start: 0, end: source.length };
  if (error instanceof RangeError) {
    return problem('too_complex', 'This is nested too deeply. Take it apart.', everything);
  }
  if (error instanceof ParseError) return syntaxProblem(error, error.range ?? everything, source);
  if (!(error instanceof CelTypeError)) {
    return problem('syntax', 'This cannot be understood. Simplify it.', everything);
  }
  const place = error.range ?? everything;
  const quoted = `"${source.slice(place.start, place.end).slice(0, 80)}"`;
  switch (error.code) {
    case 'unknown_variable':
      return problem('unknown_name', unknownName(quoted, names), place);
    case 'no_such_key':
      return problem(
        'unknown_field',
        `There is no field ${quoted} here. Correct its name, or choose one of the fields offered.`,
        place,
      );
    // the node of a type error is one of the tree that was checked
    case 'no_matching_overload':
      return callProblem(error.node as unknown as Node, place);
    default:
      return problem('wrong_type', typeProblem(error.code, quoted, error.summary), place);
  }
}

function unknownName(quoted: string, names: readonly string[]): string {
  const offered = names.length === 0 ? '' : `: ${names.slice(0, 12).join(', ')}`;
  return `There is nothing called ${quoted} here. An expression sees only what was collected${offered}. Data of Pipedrive cannot be used.`;
}

function syntaxProblem(error: ParseError, place: Place, source: string): Problem {
  if (error.code === 'limit_exceeded') {
    return problem(
      'too_complex',
      'The expression is too big or nested too deeply. Take it apart.',
      place,
    );
  }
  const at = source.slice(place.start, place.end).slice(0, 40);
  if (error.code === 'reserved_identifier') {
    return problem('syntax', `"${at}" is a word of the language. Use another name.`, place);
  }
  const found = at.trim() === '' ? 'The expression ends too early' : `"${at}" cannot stand here`;
  return problem('syntax', `${found}. ${syntaxFix(error.code)}`, place);
}

const syntaxFix = (code: string): string =>
  syntaxFixes[code] ?? 'Add what is missing before it, or take it away.';

const syntaxFixes: Record<string, string> = {
  unterminated_string: 'Close the text with the quotation mark it begins with.',
  unterminated_triple_quoted_string:
    'Close the text with the three quotation marks it begins with.',
  newline_in_string: 'Write \\n for a new line inside a text.',
  invalid_escape_sequence: 'Write \\\\ for a backslash.',
  invalid_macro_argument:
    'has(…) takes a field such as _domain.rank, and all, exists, map and filter a name first.',
};

function callProblem(node: Node | undefined, place: Place): Problem {
  if (node === undefined || !isCall(node)) {
    return problem('wrong_type', 'This function does not take these values.', place);
  }
  const { name, receiver, args } = call(node);
  const wanted = written(name);
  const forms = functions.filter((known) => known.name.split('.').at(-1) === wanted);
  if (forms.length === 0) {
    return problem(
      'unknown_function',
      `There is no function ${wanted}(…). Choose one of the functions offered.`,
      place,
    );
  }
  const given = [receiver, ...args].flatMap((arg) => arg?.checkedType?.name ?? []).map(typeName);
  const known = forms.map(({ signature }) => signature).join('; ');
  const values = given.length === 0 ? 'no value' : given.join(', ');
  return problem(
    'wrong_type',
    `${wanted}(…) does not take ${values}. It is: ${known}. Convert with string(…), double(…), int(…) or timestamp(…).`,
    place,
  );
}

/** The checker's summaries name types and source only; no record is there yet. */
function typeProblem(code: string, quoted: string, summary: string): string {
  const types = typeName(summary.replace(/^[^:]*: /, ''));
  switch (code) {
    case 'no_such_overload':
      return `Types that do not go together: ${types}. Convert one with string(…), double(…), int(…) or timestamp(…); whether something is there is asked with has(…), not == null.`;
    case 'incompatible_ternary_branches':
      return `The two values that ${quoted} may give have different types. Convert one, for example double(0), or dyn(null) for nothing.`;
    case 'invalid_condition_type':
    case 'invalid_logical_operand':
      return `${quoted} needs true or false. Compare with something, for example > 0 or != "".`;
    case 'cannot_index_type':
      return `There are no fields in ${quoted}. Only records, maps and lists have some.`;
    case 'invalid_index_type':
      return `${quoted} is looked up with a value of the wrong type. Lists take whole numbers, records and maps texts.`;
    case 'invalid_comprehension_range':
      return `${quoted} is no list. all, exists, map and filter go through lists and maps.`;
    case 'invalid_macro_argument':
      return 'has(…) takes a field. Write it as has(_domain.rank).';
    default:
      return `${quoted} has a type that cannot stand here. Convert it with string(…), double(…), int(…) or timestamp(…).`;
  }
}
