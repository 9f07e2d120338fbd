import { Refusal } from '@manifold/errors';
import {
  type ArgumentNode,
  type ASTNode,
  type DefinitionNode,
  type DocumentNode,
  type FieldNode,
  getArgumentValues,
  getVariableValues,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  parseType,
  print,
  separateOperations,
  type VariableDefinitionNode,
  visit,
} from 'graphql';
import type { Operation } from '../operations/read-operation.ts';
import type { Declaration } from './declarations.ts';

/** A subscription as the query that answers it, again and again. */
export interface Twin {
  declaration: Declaration;
  /** The thing that is followed; null when the events say which. Undefined when there is no such argument. */
  followed: string | null | undefined;
  /** The query, about one thing where that matters. */
  ask: (followed?: string | null) => Operation;
}

/** Turns a valid subscription into its twin; what the query is about becomes a variable of ours. */
export function twinOf(
  { document, operation }: { document: DocumentNode; operation: OperationDefinitionNode },
  given: Readonly<Record<string, unknown>>,
  graph: { schema: GraphQLSchema; declarations: ReadonlyMap<string, Declaration> },
): Twin {
  const field = onlyFieldOf(operation);
  const declaration = graph.declarations.get(field.name.value);
  if (!declaration) throw refuse('This field cannot be followed', 'Ask the query instead.');
  const variables = valuesOf(operation, given, graph.schema);
  const { argument } = declaration;
  const followed = argument && followedOf(field, argument, { ...graph, variables });
  const mine = freeName(operation);
  const operationName = operation.name?.value;
  const fragments = (separateOperations(document)[operationName ?? '']?.definitions ?? []).filter(
    ({ kind }) => kind === Kind.FRAGMENT_DEFINITION,
  );
  const query = rewrite(operation, field, { declaration, mine, fragments, ...graph });
  const text = [query, ...fragments].map(print).join('\n');
  const kept = Object.fromEntries(
    (query.variableDefinitions ?? []).flatMap(({ variable: { name } }) =>
      Object.hasOwn(given, name.value) ? [[name.value, given[name.value]]] : [],
    ),
  );
  return {
    declaration,
    followed,
    ask: (id) => ({
      query: text,
      variables: argument === undefined ? kept : { ...kept, [mine]: id },
      ...(operationName === undefined ? {} : { operationName }),
    }),
  };
}

/** One field, plainly there: what is followed must not hang on a fragment or a condition. */
function onlyFieldOf({ selectionSet: { selections } }: OperationDefinitionNode): FieldNode {
  const [field] = selections;
  if (selections.length === 1 && field?.kind === Kind.FIELD && !field.directives?.length) {
    return field;
  }
  throw refuse(
    'A subscription begins with exactly one field, without fragment or directive',
    'Follow each field in a subscription of its own.',
  );
}

function valuesOf(
  { variableDefinitions = [] }: OperationDefinitionNode,
  given: Readonly<Record<string, unknown>>,
  schema: GraphQLSchema,
): Record<string, unknown> {
  const { coerced, errors } = getVariableValues(schema, variableDefinitions, given);
  if (coerced) return coerced;
  throw refuse(errors[0]?.message ?? 'A variable is wrong', 'Send variables of the types named.');
}

function followedOf(
  field: FieldNode,
  argument: string,
  { schema, variables }: { schema: GraphQLSchema; variables: Record<string, unknown> },
): string | null {
  const definition = schema.getSubscriptionType()?.getFields()[field.name.value];
  if (!definition) return null;
  const value = getArgumentValues(definition, field, variables)[argument];
  // an id is text by the time it is read
  return typeof value === 'string' ? value : null;
}

/** The same selection of the query, with the variables it still uses. */
function rewrite(
  operation: OperationDefinitionNode,
  field: FieldNode,
  how: {
    declaration: Declaration;
    mine: string;
    fragments: readonly DefinitionNode[];
    schema: GraphQLSchema;
  },
): OperationDefinitionNode {
  const { query: name, argument } = how.declaration;
  const own = argument === undefined ? undefined : ownVariable(name, argument, how);
  const twin: FieldNode = {
    ...field,
    alias: field.alias ?? field.name,
    name: { kind: Kind.NAME, value: name },
    arguments: [
      ...(field.arguments ?? []).filter((each) => each.name.value !== argument),
      ...(own ? [own.argument] : []),
    ],
  };
  const used = new Set([twin, ...how.fragments].flatMap(variablesIn));
  const definitions = (operation.variableDefinitions ?? []).filter(({ variable }) =>
    used.has(variable.name.value),
  );
  return {
    ...operation,
    operation: OperationTypeNode.QUERY,
    variableDefinitions: [...definitions, ...(own ? [own.definition] : [])],
    selectionSet: { kind: Kind.SELECTION_SET, selections: [twin] },
  };
}

function ownVariable(
  query: string,
  argument: string,
  { schema, mine }: { schema: GraphQLSchema; mine: string },
): { argument: ArgumentNode; definition: VariableDefinitionNode } {
  const twin = schema.getQueryType()?.getFields()[query];
  const type = twin?.args.find(({ name }) => name === argument)?.type;
  if (!type) throw new Error(`The query ${query} has no argument ${argument}`);
  const variable = { kind: Kind.VARIABLE, name: { kind: Kind.NAME, value: mine } } as const;
  return {
    argument: { kind: Kind.ARGUMENT, name: { kind: Kind.NAME, value: argument }, value: variable },
    definition: { kind: Kind.VARIABLE_DEFINITION, variable, type: parseType(type.toString()) },
  };
}

function variablesIn(node: ASTNode): string[] {
  const names: string[] = [];
  visit(node, { Variable: ({ name }) => void names.push(name.value) });
  return names;
}

/** A name none of the operation's variables has. */
function freeName({ variableDefinitions = [] }: OperationDefinitionNode): string {
  const taken = new Set(variableDefinitions.map(({ variable }) => variable.name.value));
  let name = 'followed';
  while (taken.has(name)) name += '_';
  return name;
}

const refuse = (message: string, fix: string): Refusal =>
  new Refusal('invalid', message, { reason: 'invalid_input', field: 'query', fix });
