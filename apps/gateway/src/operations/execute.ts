import { type ApolloServer, HeaderMap } from '@apollo/server';
import type { OperationContext } from './context.ts';
import type { Operation } from './read-operation.ts';

/** What is answered to one operation. */
export interface Executed {
  status: number;
  headers: Record<string, string>;
  json: string;
}

/** Runs one operation for its caller. */
export async function execute(
  server: ApolloServer<OperationContext>,
  body: Operation,
  context: OperationContext,
): Promise<Executed> {
  const result = await server.executeHTTPGraphQLRequest({
    httpGraphQLRequest: {
      method: 'POST',
      headers: new HeaderMap([['content-type', 'application/json']]),
      search: '',
      body,
    },
    context: async () => context,
  });
  return {
    status: result.status ?? 200,
    headers: Object.fromEntries(result.headers),
    json: result.body.kind === 'complete' ? result.body.string : '',
  };
}
