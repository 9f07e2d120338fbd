import { answers, connectDatabase, migrateToLatest } from '@manifold/database';
import {
  brokerAnswers,
  connectNats,
  consumeInBatches,
  ensureStream,
  startRelay,
} from '@manifold/messaging';
import { runService, startHttp } from '@manifold/service';
import { createSubgraph, readPublicKey } from '@manifold/subgraph';
import { config } from './config.ts';
import { createBatch } from './ledger/consumers.ts';
import { createResolvers } from './ledger/resolvers.ts';
import { createLoaders } from './loaders.ts';
import { migrations } from './migrations/index.ts';
import { createParkedResolvers } from './parked/resolvers.ts';
import type { Tables } from './store.ts';

const service = 'audit';
const schemaFiles = [
  new URL('./ledger/schema.graphql', import.meta.url),
  new URL('./parked/schema.graphql', import.meta.url),
];

await runService(service, async ({ log, onStop }) => {
  const env = config();
  const { DATABASE_OWNER_URL: ownerUrl, DATABASE_URL: runtimeUrl } = env;
  await migrateToLatest({ ownerUrl, runtimeUrl, migrations });
  const db = connectDatabase<Tables>(runtimeUrl);
  onStop(() => db.destroy());

  const nats = await connectNats({ url: env.NATS_URL, service, log });
  onStop(() => nats.drain());
  await ensureStream(nats, service);
  onStop(startRelay({ db, nats, log }));
  onStop(await consumeInBatches({ db, nats, service, batch: createBatch(), log }));

  const subgraph = await createSubgraph({
    service,
    schemaFiles,
    resolvers: [createResolvers({ db }), createParkedResolvers({ nats })],
    loaders: createLoaders(db, nats),
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
