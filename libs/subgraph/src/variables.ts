import type { ApolloServerPlugin, BaseContext } from '@apollo/server';
import {
  GraphQLError,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  type TypeNode,
} from 'graphql';
import { errorOf, type InputIssue } from './errors.ts';
import { isRequired, noneOf, notKind, unknownNames } from './issues.ts';

/** Refuses variables the schema does not take: which part, why, and what it takes; no value is repeated. */
export const refuseWrongVariables: ApolloServerPlugin<BaseContext> = {
  requestDidStart: async () => ({
    didResolveOperation: async ({ schema, operation, request }) => {
      if (!operation) return;
      const issues = findWrongVariables(schema, operation, request.variables ?? {});
      if (issues.length === 0) return;
      const { message, extensions } = errorOf(issues);
      throw new GraphQLError(message, { extensions: { ...extensions, http: { status: 400 } } });
    },
  }),
};

/** More would only repeat themselves. */
const MOST_ISSUES = 20;

/** What of the variables of a valid operation does not fit its schema. */
export function findWrongVariables(
  schema: GraphQLSchema,
  { variableDefinitions = [] }: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): InputIssue[] {
  const issues: InputIssue[] = [];
  for (const { variable, type, defaultValue } of variableDefinitions) {
    const { value: name } = variable.name;
    const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
    if (value === undefined && defaultValue !== undefined) continue;
    issues.push(...findWrong(name, value, wantedByNode(schema, type)));
  }
  return issues.slice(0, MOST_ISSUES);
}

/** A type as it is walked through. Told by form, because a schema may be another copy of the library's. */
type Wanted =
  | { form: 'required'; of: Wanted }
  | { form: 'list'; of: Wanted }
  | { form: 'named'; type: GraphQLNamedType | undefined };

function wantedByNode(schema: GraphQLSchema, node: TypeNode): Wanted {
  switch (node.kind) {
    case Kind.NON_NULL_TYPE:
      return { form: 'required', of: wantedByNode(schema, node.type) };
    case Kind.LIST_TYPE:
      return { form: 'list', of: wantedByNode(schema, node.type) };
    case Kind.NAMED_TYPE:
      return { form: 'named', type: schema.getType(node.name.value) };
  }
}

function wantedBy(type: GraphQLInputType): Wanted {
  if (!('ofType' in type)) return { form: 'named', type };
  const of = wantedBy(type.ofType);
  return String(type).endsWith('!') ? { form: 'required', of } : { form: 'list', of };
}

function findWrong(field: string, value: unknown, wanted: Wanted): InputIssue[] {
  const isAbsent = value === null || value === undefined;
  if (wanted.form === 'required') {
    if (!isAbsent) return findWrong(field, value, wanted.of);
    return [{ field, ...isRequired(kindOf(wanted.of)) }];
  }
  if (isAbsent) return [];
  if (wanted.form === 'list') {
    // a single value stands for a list of one
    if (!Array.isArray(value)) return findWrong(field, value, wanted.of);
    const { of } = wanted;
    return upToMost(value, (item, index) => findWrong(`${field}.${index}`, item, of));
  }
  return findWrongNamed(field, value, wanted.type);
}

/** What a missing value should be. */
function kindOf(wanted: Wanted): string {
  if (wanted.form === 'required') return kindOf(wanted.of);
  if (wanted.form === 'list') return 'array';
  const { type } = wanted;
  return type !== undefined && 'getFields' in type ? 'object' : (type?.name ?? '');
}

function findWrongNamed(
  field: string,
  value: unknown,
  type: GraphQLNamedType | undefined,
): InputIssue[] {
  if (type === undefined) return [];
  if ('getFields' in type) return findWrongFields(field, value, type);
  if (!('parseValue' in type) || isTaken(value, type)) return [];
  const words =
    'getValues' in type ? noneOf(type.getValues().map(({ name }) => name)) : notKind(type.name);
  return [{ field, ...words }];
}

function isTaken(value: unknown, type: { parseValue(value: unknown): unknown }): boolean {
  try {
    return type.parseValue(value) !== undefined;
  } catch {
    return false;
  }
}

function findWrongFields(
  field: string,
  value: unknown,
  type: Extract<GraphQLNamedType, { getFields: unknown }>,
): InputIssue[] {
  if (typeof value !== 'object' || Array.isArray(value)) return [{ field, ...notKind('object') }];
  const given = new Map<string, unknown>(Object.entries(Object(value)));
  const fields = type.getFields();
  const unknown = [...given.keys()].filter((name) => !Object.hasOwn(fields, name));
  const issues: InputIssue[] =
    unknown.length === 0 ? [] : [{ field, ...unknownNames(unknown, Object.keys(fields)) }];
  if ('isOneOf' in type && type.isOneOf && given.size !== 1) {
    issues.push({
      field,
      message: 'holds not exactly one of its fields',
      fix: 'Give one of them.',
    });
  }
  return [
    ...issues,
    ...upToMost(Object.values(fields), (one) => {
      const part = given.get(one.name);
      const hasDefault = 'defaultValue' in one && one.defaultValue !== undefined;
      if ('args' in one || (part === undefined && hasDefault)) return [];
      return findWrong(`${field}.${one.name}`, part, wantedBy(one.type));
    }),
  ];
}

/** What is found in items, one after the other, until it is enough. */
function upToMost<Item>(
  items: readonly Item[],
  find: (item: Item, index: number) => InputIssue[],
): InputIssue[] {
  const issues: InputIssue[] = [];
  for (const [index, item] of items.entries()) {
    if (issues.length >= MOST_ISSUES) break;
    issues.push(...find(item, index));
  }
  return issues;
}
