import { answers, connectDatabase, migrateToLatest } from '@manifold/database';
import {
  brokerAnswers,
  connectNats,
  consume,
  ensureStream,
  serveRequests,
  startRelay,
} from '@manifold/messaging';
import { runService, startHttp } from '@manifold/service';
import { createSubgraph, readPublicKey } from '@manifold/subgraph';
import { createCatalogueConsumers } from './catalogue/consumers.ts';
import { config } from './config.ts';
import { createGraph } from './graph.ts';
import { migrations } from './migrations/index.ts';
import type { Tables } from './store.ts';
import { createResponders } from './versions/responders.ts';

const service = 'field-mapping';

await runService(service, async ({ log, onStop }) => {
  const env = config();
  const now = () => new Date();

  await migrateToLatest({
    ownerUrl: env.DATABASE_OWNER_URL,
    runtimeUrl: env.DATABASE_URL,
    migrations,
  });
  const db = connectDatabase<Tables>(env.DATABASE_URL);
  onStop(() => db.destroy());

  const nats = await connectNats({ url: env.NATS_URL, service, log });
  onStop(() => nats.drain());
  await ensureStream(nats, service);
  onStop(startRelay({ db, nats, log }));

  const handlers = createCatalogueConsumers({ nats, now });
  onStop(await consume({ db, nats, service, handlers, log }));
  onStop(serveRequests({ nats, service, responders: createResponders({ db }), log }));

  const subgraph = await createSubgraph({
    service,
    ...createGraph({ db, nats, now }),
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
