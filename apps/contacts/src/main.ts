import { answers, connectDatabase, migrateToLatest } from '@manifold/database';
import {
  brokerAnswers,
  connectNats,
  consume,
  ensureStream,
  startCommandRelay,
  startRelay,
} from '@manifold/messaging';
import { runService, startHttp } from '@manifold/service';
import { createSubgraph, readPublicKey } from '@manifold/subgraph';
import { config } from './config.ts';
import { createHandlers } from './handlers.ts';
import { createLoaders } from './loaders.ts';
import { createMappings } from './mappings/commands.ts';
import { migrations } from './migrations/index.ts';
import { startSyncWorker } from './pages/worker.ts';
import type { Tables } from './store.ts';
import { createResolvers, schemaFiles } from './subgraph.ts';
import { createOnRefused } from './tracking/commands.ts';

const service = 'contacts';
const now = () => new Date();
// changes of one source take turns while a page is stored; reading must not wait for them
const POOL = 24;

await runService(service, async ({ log, onStop }) => {
  const env = config();
  const { DATABASE_OWNER_URL: ownerUrl, DATABASE_URL: runtimeUrl } = env;
  await migrateToLatest({ ownerUrl, runtimeUrl, migrations });
  const db = connectDatabase<Tables>(runtimeUrl, { max: POOL });
  onStop(() => db.destroy());

  const nats = await connectNats({ url: env.NATS_URL, service, log });
  onStop(() => nats.drain());
  await ensureStream(nats, service);
  onStop(startRelay({ db, nats, log }));
  onStop(startCommandRelay({ db, nats, log, onRefused: createOnRefused({ log }) }));

  const mappings = createMappings();
  const handlers = createHandlers({ db, nats, mappings, now });
  onStop(await consume({ db, nats, service, handlers, log }));
  onStop(startSyncWorker({ db, nats, mappings, now, log }));

  const subgraph = await createSubgraph({
    service,
    schemaFiles,
    resolvers: createResolvers({ db, nats, now }),
    loaders: createLoaders({ db, mappings }),
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
