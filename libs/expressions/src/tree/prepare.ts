import { own } from '../functions/names.ts';
import { hasMacro } from './presence.ts';
import { call, type Checker, childrenOf, isCall, type Node, nodesOf, rename } from './node.ts';

/** Built-in functions that ours stand in for; built-ins cannot be registered over. */
const REPLACED = new Set([
  ...['matches', 'timestamp', 'duration', 'int', 'string', 'double', 'lowerAscii', 'upperAscii'],
  ...[
    'trim',
    'contains',
    'split',
    'join',
    'indexOf',
    'lastIndexOf',
    'substring',
    'getDate',
    'getDayOfMonth',
  ],
  ...['getDayOfWeek', 'getDayOfYear', 'getFullYear', 'getHours', 'getMilliseconds', 'getMinutes'],
  ...['getMonth', 'getSeconds'],
  // has no replacement: it would bring values no limit was applied to
  'json',
]);

/** Of what kind the elements are nobody knows; with a type of their own no operator would be found. */
const EMPTY: Record<string, string> = { list: 'list', map: 'map' };

/** Makes calls of replaced built-ins calls of ours, and `has` our own, before the tree is checked. */
export function replaceBuiltIns(root: Node): void {
  for (const node of nodesOf(root)) {
    const empty = EMPTY[node.op];
    if (empty !== undefined && childrenOf(node).length === 0) {
      node.setMeta('check', (checker: Checker) => checker.getType(empty));
    }
    if (!isCall(node) || node.meta.alternate !== undefined) continue;
    const { name, receiver, args } = call(node);
    if (REPLACED.has(name)) rename(node, own(name));
    const [asked] = args;
    if (name === 'has' && receiver === undefined && asked !== undefined && args.length === 1) {
      node.setMeta('macro', hasMacro(asked));
    }
  }
}
