import {
  type DocumentNode,
  getOperationAST,
  type GraphQLSchema,
  type OperationDefinitionNode,
  OperationTypeNode,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import { LIMITS, limitRules } from '../operations/limits.ts';
import type { Operation } from '../operations/read-operation.ts';

export interface Subscription {
  document: DocumentNode;
  operation: OperationDefinitionNode;
  /** What is wrong with one that is not, the server says when it is asked to run it. */
  isValid: boolean;
}

/** The subscription an operation is; undefined for anything else. */
export function readSubscription(
  { query, operationName }: Operation,
  schema: GraphQLSchema,
): Subscription | undefined {
  const document = parsed(query);
  if (!document) return undefined;
  const operation = getOperationAST(document, operationName);
  if (operation?.operation !== OperationTypeNode.SUBSCRIPTION) return undefined;
  const isValid = validate(schema, document, [...specifiedRules, ...limitRules]).length === 0;
  return { document, operation, isValid };
}

function parsed(query: string): DocumentNode | undefined {
  try {
    return parse(query, { maxTokens: LIMITS.tokens });
  } catch {
    return undefined;
  }
}
