import { answers, connectDatabase, migrateToLatest } from '@manifold/database';
import {
  brokerAnswers,
  connectNats,
  ensureStream,
  serveRequests,
  startRelay,
} from '@manifold/messaging';
import { runService, startHttp } from '@manifold/service';
import { createSubgraph, readPublicKey } from '@manifold/subgraph';
import { config } from './config.ts';
import { createResponders } from './keys/responders.ts';
import { createLoaders } from './loaders.ts';
import { migrations } from './migrations/index.ts';
import type { Tables } from './store.ts';
import { createAllResolvers, schemaFiles } from './subgraph.ts';
import { bootstrap } from './workspaces/bootstrap.ts';

const service = 'workspaces';
const now = () => new Date();

await runService(service, async ({ log, onStop }) => {
  const env = config();
  const { DATABASE_OWNER_URL: ownerUrl, DATABASE_URL: runtimeUrl } = env;
  await migrateToLatest({ ownerUrl, runtimeUrl, migrations });
  const db = connectDatabase<Tables>(runtimeUrl);
  onStop(() => db.destroy());

  if (env.BOOTSTRAP_API_KEY !== undefined) {
    const first = {
      apiKey: env.BOOTSTRAP_API_KEY,
      workspaceName: env.BOOTSTRAP_WORKSPACE_NAME,
      ownerName: env.BOOTSTRAP_OWNER_NAME,
      ownerEmail: env.BOOTSTRAP_OWNER_EMAIL,
    };
    if (await bootstrap(db, first, now())) log.info('first workspace made');
  }

  const nats = await connectNats({ url: env.NATS_URL, service, log });
  onStop(() => nats.drain());
  await ensureStream(nats, service);
  onStop(startRelay({ db, nats, log }));
  onStop(serveRequests({ nats, service, responders: createResponders({ db, now }), log }));

  const subgraph = await createSubgraph({
    service,
    schemaFiles,
    resolvers: createAllResolvers({ db, now }),
    loaders: createLoaders(db),
    publicKey: readPublicKey(env.IDENTITY_PUBLIC_KEY),
    log,
  });
  onStop(subgraph.stop);
  const http = await startHttp({
    host: env.HOST,
    port: env.PORT,
    routes: { '/graphql': subgraph.handler },
    checks: { database: () => answers(db), broker: () => brokerAnswers(nats) },
    log,
  });
  onStop(http.stop);
});
