import {
  type FieldNode,
  type GraphQLResolveInfo,
  Kind,
  type SelectionNode,
  valueFromASTUntyped,
} from 'graphql';

/** What a resolver is told of the operation it serves, as far as it is looked at here. */
export type AskedFor = Pick<GraphQLResolveInfo, 'fieldNodes' | 'fragments' | 'variableValues'>;

/**
 * Every value an argument of a field is given anywhere below what is being resolved, so that a
 * resolver can fetch at once what its fields will ask for. Not checked: the field itself does that.
 */
export function listArguments(
  { fieldNodes, fragments, variableValues }: AskedFor,
  wanted: { field: string; argument: string },
): unknown[] {
  const seen = new Set<string>();
  const ofSelection = (node: SelectionNode): unknown[] => {
    switch (node.kind) {
      case Kind.FIELD:
        return [...ofField(node), ...(node.selectionSet?.selections ?? []).flatMap(ofSelection)];
      case Kind.INLINE_FRAGMENT:
        return node.selectionSet.selections.flatMap(ofSelection);
      case Kind.FRAGMENT_SPREAD: {
        const { value: name } = node.name;
        if (seen.has(name)) return [];
        seen.add(name);
        return (fragments[name]?.selectionSet.selections ?? []).flatMap(ofSelection);
      }
    }
  };
  const ofField = (node: FieldNode): unknown[] => {
    if (node.name.value !== wanted.field) return [];
    return (node.arguments ?? [])
      .filter(({ name }) => name.value === wanted.argument)
      .map(({ value }) => valueFromASTUntyped(value, variableValues));
  };
  return fieldNodes.flatMap((node) => node.selectionSet?.selections ?? []).flatMap(ofSelection);
}
