import { written } from '../functions/names.ts';
import { compilePattern } from '../functions/text/patterns.ts';
import { SOURCE_LIMITS } from '../limits.ts';
import { type Problem, problem } from '../problems.ts';
import { call, type CheckedType, fieldOf, isCall, nestingOf, type Node, nodesOf } from './node.ts';

/** What the library's checker lets pass: unknown optional fields, patterns, numbers, loops in loops. */
export function checkTree(root: Node, fields: ReadonlyMap<string, ReadonlySet<string>>): Problem[] {
  const nodes = [...nodesOf(root)];
  const problems = nodes.flatMap((node) => [
    ...checkOptionalField(node, fields),
    ...checkPattern(node),
  ]);
  if (nestingOf(root) > SOURCE_LIMITS.nestedComprehensions) {
    const message = `At most ${SOURCE_LIMITS.nestedComprehensions} of all, exists, map and filter may be inside each other. Take one out.`;
    problems.push(problem('too_complex', message, root));
  }
  return [...problems, ...checkNumbers(nodes)];
}

function checkOptionalField(
  node: Node,
  fields: ReadonlyMap<string, ReadonlySet<string>>,
): Problem[] {
  if (node.op !== '.?') return [];
  const { of, key } = fieldOf(node);
  const known = fields.get(holderOf(of.checkedType)?.name ?? '');
  if (known === undefined || known.has(key)) return [];
  const message = `There is no field "${key}" here. Correct its name, or choose one of the fields offered.`;
  return [problem('unknown_field', message, node)];
}

const holderOf = (type: CheckedType | undefined): CheckedType | undefined =>
  type?.kind === 'optional' ? type.valueType : type;

function checkPattern(node: Node): Problem[] {
  if (!isCall(node) || written(call(node).name) !== 'matches') return [];
  const pattern = call(node).args.at(-1);
  if (pattern?.op !== 'value' || typeof pattern.args !== 'string') return [];
  if (compilePattern(pattern.args) !== undefined) return [];
  const message = `RE2 does not accept this pattern. It has at most ${SOURCE_LIMITS.patternChars} characters, no look-ahead and no back-references.`;
  return [problem('bad_pattern', message, pattern)];
}

const TOO_BIG = 2n ** 63n;

/** 64 bits; one more only as the least number, behind its minus. */
function checkNumbers(nodes: Node[]): Problem[] {
  const negated = new Set(nodes.flatMap((node) => (node.op === '-_' ? [node.args] : [])));
  return nodes.flatMap((node) => {
    if (node.op !== 'value' || typeof node.args !== 'bigint' || node.args < TOO_BIG) return [];
    if (node.args === TOO_BIG && negated.has(node)) return [];
    const message = 'This number is too big. Write it with a decimal point.';
    return [problem('syntax', message, node)];
  });
}
