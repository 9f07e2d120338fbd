import { maxAliasesRule } from '@escape.tech/graphql-armor-max-aliases';
import { maxDepthRule } from '@escape.tech/graphql-armor-max-depth';
import { maxDirectivesRule } from '@escape.tech/graphql-armor-max-directives';
import {
  type ASTVisitor,
  GraphQLError,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
  type ValidationContext,
  type ValidationRule,
} from 'graphql';

/** How large an operation may be. What a list may hold is bounded by each list's own page size. */
export const LIMITS = {
  depth: 12,
  aliases: 30,
  tokens: 2_000,
  rootFields: 20,
  /** With fragments written out; without them the tokens end first. */
  fields: 2_000,
  directives: 20,
};

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
  limitFields,
];

/** Fields of an operation as if every fragment were written out: on its first level, and in all. */
interface Size {
  root: number;
  all: number;
}
const NOTHING: Size = { root: 0, all: 0 };

function limitFields(context: ValidationContext): ASTVisitor {
  const measure = createMeasure(context);
  return {
    OperationDefinition: ({ selectionSet }) => {
      const { root, all } = measure(selectionSet);
      if (root > LIMITS.rootFields) context.reportError(tooLarge('root fields', LIMITS.rootFields));
      if (all > LIMITS.fields) context.reportError(tooLarge('fields', LIMITS.fields));
    },
  };
}

/** Measures every fragment once, however often it is spread: fragments in fragments double per level. */
function createMeasure(context: ValidationContext): (set: SelectionSetNode) => Size {
  const fragments = new Map<string, Size>();
  const ofFragment = (name: string): Size => {
    const known = fragments.get(name);
    if (known) return known;
    fragments.set(name, NOTHING); // inside itself it adds nothing; GraphQL refuses it anyway
    const fragment = context.getFragment(name);
    const size = fragment ? ofSet(fragment.selectionSet) : NOTHING;
    fragments.set(name, size);
    return size;
  };
  const ofSelection = (selection: SelectionNode): Size => {
    switch (selection.kind) {
      case Kind.FIELD: {
        const { all } = selection.selectionSet ? ofSet(selection.selectionSet) : NOTHING;
        return { root: 1, all: all + 1 };
      }
      case Kind.INLINE_FRAGMENT:
        return ofSet(selection.selectionSet);
      case Kind.FRAGMENT_SPREAD:
        return ofFragment(selection.name.value);
    }
  };
  const ofSet = ({ selections }: SelectionSetNode): Size =>
    selections.map(ofSelection).reduce(add, NOTHING);
  return ofSet;
}

/** Counts no further than one over the limit. */
const add = (one: Size, other: Size): Size => ({
  root: Math.min(one.root + other.root, LIMITS.rootFields + 1),
  all: Math.min(one.all + other.all, LIMITS.fields + 1),
});
