import { maxAliasesRule } from '@escape.tech/graphql-armor-max-aliases';
import { maxDepthRule } from '@escape.tech/graphql-armor-max-depth';
import { maxDirectivesRule } from '@escape.tech/graphql-armor-max-directives';
import {
  type ASTVisitor,
  GraphQLError,
  type SelectionSetNode,
  type ValidationContext,
  type ValidationRule,
} from 'graphql';

/** How large an operation may be. What a list may hold is bounded by each list's own page size. */
export const LIMITS = { depth: 12, aliases: 30, tokens: 2_000, rootFields: 20, directives: 20 };

/** Refuses with our own words; a rule that threw would be taken for a bug of ours. */
const refusing = (what: string, most: number) => ({
  n: most,
  propagateOnRejection: false,
  onReject: [
    (context: ValidationContext | null) => {
      context?.reportError(tooLarge(what, most));
    },
  ],
});

const tooLarge = (what: string, most: number): GraphQLError =>
  new GraphQLError(`The operation has more than ${most} ${what}`, {
    extensions: {
      code: 'BAD_USER_INPUT',
      reason: 'too_many_items',
      fix: 'Split the operation into several requests.',
    },
  });

/** Refuses operations that are too deep, too wide or too repetitive, before anything runs. */
export const limitRules: ValidationRule[] = [
  (context) => maxDepthRule(refusing('levels', LIMITS.depth))(context),
  (context) =>
    // nothing is exempt: a thousand aliases of __typename cost as much as of anything else
    maxAliasesRule({ ...refusing('aliases', LIMITS.aliases), allowList: [] })(context),
  (context) => maxDirectivesRule(refusing('directives', LIMITS.directives))(context),
  limitRootFields,
];

function limitRootFields(context: ValidationContext): ASTVisitor {
  return {
    OperationDefinition: (operation) => {
      if (countFields(context, operation.selectionSet, new Set()) <= LIMITS.rootFields) return;
      context.reportError(tooLarge('root fields', LIMITS.rootFields));
    },
  };
}

/** Fields of one level, through fragments; a fragment inside itself counts once. */
function countFields(
  context: ValidationContext,
  { selections }: SelectionSetNode,
  inside: ReadonlySet<string>,
): number {
  let count = 0;
  for (const selection of selections) {
    if (selection.kind === 'Field') count += 1;
    if (selection.kind === 'InlineFragment') {
      count += countFields(context, selection.selectionSet, inside);
    }
    if (selection.kind === 'FragmentSpread' && !inside.has(selection.name.value)) {
      const name = selection.name.value;
      const fragment = context.getFragment(name);
      if (fragment)
        count += countFields(context, fragment.selectionSet, new Set([...inside, name]));
    }
    if (count > LIMITS.rootFields) return count;
  }
  return count;
}
