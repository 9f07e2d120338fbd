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
import { requireRightKey } from './accounts/key-check.ts';
import type { Config } from './config.ts';
import { connectPipedrive } from './pipedrive.ts';
import { migrations } from './migrations/index.ts';
import { createOauthHandler } from './oauth/http.ts';
import { createRecordResponders } from './records/responders.ts';
import type { Tables } from './store.ts';
import { createAllResolvers, createLoaders, schemaFiles } from './subgraph.ts';
import { startUpkeep } from './upkeep/worker.ts';
import { createWebhookHandler } from './webhooks/http.ts';
import { startWebhookWorker } from './webhooks/worker.ts';
import { followChange } from './webhooks/following.ts';
import { createResponders as createWriteResponders } from './writes/responders.ts';
import { startWriteWorker } from './writes/sending/worker.ts';

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

  const accounts = connectPipedrive(env, { db, log, now });
  const { vault, access } = accounts;
  await requireRightKey(accounts);
  onStop(startUpkeep(accounts));

  const sending = { db, vault, now, log, settleMs: env.SETTLE_MS };
  const writes = startWriteWorker({ ...sending, clientFor: access.clientFor });
  onStop(writes.stop);
  const webhooks = startWebhookWorker({ db, vault, now, log, follow: followChange(vault) });
  onStop(webhooks.stop);

  const reads = createRecordResponders(accounts);
  const commands = createWriteResponders({ ...accounts, wake: writes.wake });
  onStop(serveRequests({ nats, service, responders: [...reads, ...commands], log }));

  const subgraph = await createSubgraph({
    service,
    schemaFiles,
    resolvers: createAllResolvers({ ...accounts, wake: writes.wake }),
    loaders: createLoaders({ db, now }),
    publicKey: readPublicKey(env.IDENTITY_PUBLIC_KEY),
    log,
  });
  onStop(subgraph.stop);
  const http = await startHttp({
    host: env.HOST,
    port: env.PORT,
    routes: {
      '/graphql': subgraph.handler,
      '/oauth/callback': createOauthHandler(accounts),
      '/webhooks/': createWebhookHandler({ db, vault, now, log, wake: webhooks.wake }),
    },
    checks: { database: () => answers(db), broker: () => brokerAnswers(nats) },
    log,
  });
  onStop(http.stop);
  return { port: http.port };
}
