import type { ApolloServerPlugin } from '@apollo/server';
import { refusals } from '@manifold/errors';
import { GraphQLError, OperationTypeNode } from 'graphql';
import type { OperationContext } from './context.ts';

/** Refuses a document in which it is not clear what to run, or that asks for what the graph has not. */
export const refuseUnclear: ApolloServerPlugin<OperationContext> = {
  requestDidStart: async () => ({
    didResolveOperation: async ({ operation, request, schema }) => {
      if (!operation) throw request.operationName ? unknownName() : unclear();
      if (!schema.getRootType(operation.operation)) throw noSuchKind(operation.operation);
      if (operation.operation === OperationTypeNode.SUBSCRIPTION) throw followIt();
    },
  }),
};

const refused = (message: string, fix: string): GraphQLError =>
  new GraphQLError(message, {
    extensions: {
      code: refusals.invalid.graphqlCode,
      reason: 'invalid_input',
      fix,
      http: { status: 400 },
    },
  });

const unclear = () =>
  refused(
    'The request does not say which operation to run',
    'Send exactly one operation, or name one of them in operationName.',
  );

const unknownName = () =>
  refused(
    'The request holds no operation of the name in operationName',
    'Name one of the operations of the document, or leave operationName out.',
  );

const followIt = () =>
  refused(
    'A subscription is answered in several parts',
    'Send it with `Accept: text/event-stream`; what it shows can also be asked once, as a query.',
  );

const noSuchKind = (kind: string) =>
  refused(`The graph answers no ${kind}`, 'Send a query or a mutation; ask again to see changes.');
