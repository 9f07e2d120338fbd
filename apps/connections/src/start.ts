import { answers, connectDatabase, migrateToLatest } from '@manifold/database';
import {
  brokerAnswers,
  connectNats,
  ensureStream,
  serveRequests,
  startRelay,
} from '@manifold/messaging';
import { startHttp } from '@manifold/service';
import { createSubgraph, readPublicKey } from '@manifold/subgraph';
import type { Logger } from 'pino';
import { createChangeSetResponders } from './changes/responders.ts';
import type { Config } from './config.ts';
import { connectPipedrive } from './pipedrive.ts';
import { migrations } from './migrations/index.ts';
import { createOauthHandler } from './oauth/http.ts';
import { createRecordResponders } from './records/responders.ts';
import { createRegistryResponders } from './registry/responders.ts';
import type { Tables } from './store.ts';
import { createAllResolvers, createLoaders, schemaFiles } from './subgraph.ts';
import { createWebhookHandler } from './webhooks/http.ts';
import { startWorkers } from './workers.ts';
import { createResponders as createWriteResponders } from './writes/responders.ts';

const service = 'connections';

/** The whole service in this process; everything it acquires is handed to `onStop`. */
export async function startConnections(options: {
  env: Config;
  log: Logger;
  onStop: (release: () => unknown) => void;
  now?: () => Date;
}): Promise<{ port: number }> {
  const { env, log, onStop, now = () => new Date() } = options;
  const { DATABASE_OWNER_URL: ownerUrl, DATABASE_URL: runtimeUrl } = env;
  await migrateToLatest({ ownerUrl, runtimeUrl, migrations });
  const db = connectDatabase<Tables>(runtimeUrl);
  onStop(() => db.destroy());

  const nats = await connectNats({ url: env.NATS_URL, service, log });
  onStop(() => nats.drain());
  await ensureStream(nats, service);
  onStop(startRelay({ db, nats, log }));

  const accounts = await connectPipedrive(env, { db, log, now });
  const work = startWorkers({ env, db, log, now, onStop, accounts });
  const { wakes, tracking } = work;
  const responders = [
    ...createRecordResponders(accounts),
    ...createWriteResponders({ ...accounts, ...wakes }),
    ...createChangeSetResponders({ db, now, ...wakes }),
    ...createRegistryResponders({ db, now, ...tracking }),
  ];
  onStop(serveRequests({ nats, service, responders, log }));
  const subgraph = await createSubgraph({
    service,
    schemaFiles,
    resolvers: createAllResolvers({ ...accounts, ...wakes, ...tracking }),
    loaders: createLoaders(accounts),
    publicKey: readPublicKey(env.IDENTITY_PUBLIC_KEY),
    log,
  });
  onStop(subgraph.stop);
  const { vault } = accounts;
  const http = await startHttp({
    host: env.HOST,
    port: env.PORT,
    routes: {
      '/graphql': subgraph.handler,
      '/oauth/callback': createOauthHandler(accounts),
      '/webhooks/': createWebhookHandler({ db, vault, now, log, wake: work.wakeWebhooks }),
    },
    checks: { database: () => answers(db), broker: () => brokerAnswers(nats) },
    log,
  });
  onStop(http.stop);
  return { port: http.port };
}
