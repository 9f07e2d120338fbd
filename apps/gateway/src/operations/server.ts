import { ApolloGateway } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';
import { refuseWrongVariables } from '@manifold/subgraph';
import type { KeyObject } from 'node:crypto';
import type { Logger } from 'pino';
import { createDataSource, type Service } from '../services/data-source.ts';
import type { OperationContext } from './context.ts';
import { maskError } from './errors.ts';
import { LIMITS, limitRules } from './limits.ts';
import { reportErrors } from './report-errors.ts';
import { refuseUnclear } from './refuse-unclear.ts';

/** Plans operations over the supergraph and gathers the services' parts of the answer. */
export async function startServer(options: {
  supergraphSdl: string;
  services: readonly Service[];
  privateKey: KeyObject;
  log: Logger;
}): Promise<ApolloServer<OperationContext>> {
  const { supergraphSdl, services, privateKey, log } = options;
  const quiet = log.child({ part: 'apollo' }, { level: 'error' });
  const gateway = new ApolloGateway({
    supergraphSdl,
    logger: quiet,
    buildService: ({ name }) => {
      const service = services.find((known) => known.name === name);
      if (!service) throw new Error(`SERVICE_URLS names no URL for the service ${name}`);
      return createDataSource(service, { privateKey, log });
    },
  });
  const server = new ApolloServer<OperationContext>({
    gateway,
    logger: quiet,
    plugins: [
      ApolloServerPluginLandingPageDisabled(),
      refuseUnclear,
      refuseWrongVariables,
      reportErrors(log),
    ],
    stopOnTerminationSignals: false, // runService owns shutdown
    includeStacktraceInErrorResponses: false,
    introspection: true, // nobody without a key comes this far
    allowBatchedHttpRequests: false,
    persistedQueries: false,
    csrfPrevention: true,
    parseOptions: { maxTokens: LIMITS.tokens },
    validationRules: limitRules,
    formatError: maskError,
  });
  await server.start();
  return server;
}
