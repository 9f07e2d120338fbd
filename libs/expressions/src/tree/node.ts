/**
 * A node of the library's tree, with the two things its types leave out and we depend on: `meta`,
 * and what a macro becomes. `hooks.test.ts` fails when a release changes either.
 */
export interface Node {
  readonly op: string;
  readonly args: unknown;
  readonly pos: number;
  readonly start: number;
  readonly end: number;
  readonly input: string;
  readonly meta: { alternate?: Node; macro?: Macro; evaluate: Evaluate };
  readonly checkedType?: CheckedType;
  readonly argTypes?: readonly CheckedType[];
  setMeta(key: 'check' | 'evaluate' | 'macro', value: unknown): Node;
}

export interface CheckedType {
  readonly kind: string;
  readonly name: string;
  readonly valueType?: CheckedType;
  unify(registry: unknown, other: CheckedType): CheckedType | null;
}

/** The context of an evaluation; only handed on. */
type Context = unknown;

export interface Evaluator {
  run(node: Node, context: Context): unknown;
}

export type Evaluate = (evaluator: Evaluator, node: Node, context: Context) => unknown;

export interface Checker {
  readonly registry: unknown;
  check(node: Node, context: Context): CheckedType;
  getType(name: string): CheckedType;
  createError(code: string, message: string, node: Node): Error;
}

/** A call that decides itself how its arguments are checked and evaluated. */
export interface Macro {
  readonly async: false;
  typeCheck(checker: Checker, macro: Macro, context: Context): CheckedType;
  evaluate(evaluator: Evaluator, macro: Macro, context: Context): unknown;
}

/** What `all`, `exists`, `map` and `filter` become. */
export interface Comprehension {
  readonly iterable: Node;
  readonly init: Node;
  readonly step: Node;
  condition?: (soFar: unknown) => boolean;
}

// the library's own layout of arguments, by operator
const listed = (node: Node): Node[] => node.args as Node[];

export function call(node: Node): { name: string; receiver: Node | undefined; args: Node[] } {
  if (node.op === 'call') {
    const [name, args] = node.args as [string, Node[]];
    return { name, receiver: undefined, args };
  }
  const [name, receiver, args] = node.args as [string, Node, Node[]];
  return { name, receiver, args };
}

export const rename = (node: Node, name: string): void => {
  (node.args as [string])[0] = name;
};

export const isCall = (node: Node): boolean => node.op === 'call' || node.op === 'rcall';

export const comprehensionOf = (node: Node): Comprehension => node.args as Comprehension;

export const fieldOf = (node: Node): { of: Node; key: string } => {
  const [of, key] = node.args as [Node, string];
  return { of, key };
};

export const pairOf = (node: Node): [Node, Node] => node.args as [Node, Node];

export const entriesOf = (node: Node): [Node, Node][] => node.args as [Node, Node][];

/** The nodes that are checked and evaluated for this one. */
export function childrenOf(node: Node): Node[] {
  if (node.meta.alternate !== undefined) return [node.meta.alternate];
  switch (node.op) {
    case 'value':
    case 'id':
    case 'accuValue':
    case 'accuInc':
      return [];
    case 'call':
    case 'rcall': {
      const { receiver, args } = call(node);
      return receiver === undefined ? args : [receiver, ...args];
    }
    case '.':
    case '.?':
      return [fieldOf(node).of];
    case 'map':
      return entriesOf(node).flat();
    case '!_':
    case '-_':
    case 'accuPush':
      return [node.args as Node];
    case 'comprehension': {
      const { iterable, init, step } = comprehensionOf(node);
      return [iterable, init, step];
    }
    default:
      return listed(node);
  }
}

/** Every node once, parents first. */
export function nodesOf(root: Node): Set<Node> {
  const found = new Set<Node>([root]);
  // a set may grow while it is walked
  for (const node of found) for (const child of childrenOf(node)) found.add(child);
  return found;
}

/** How many comprehensions lie inside each other at most. */
export function nestingOf(node: Node): number {
  const inside = Math.max(0, ...childrenOf(node).map(nestingOf));
  return node.op === 'comprehension' ? inside + 1 : inside;
}
