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
import { createCampaignResolvers } from './campaigns/resolvers.ts';
import { config } from './config.ts';
import { createOnRefused, createOnStored } from './deliveries/commands.ts';
import { createDeliveryConsumers } from './deliveries/consumers.ts';
import { createLoaders } from './loaders.ts';
import { createMappingConsumers } from './mappings/consumers.ts';
import { migrations } from './migrations/index.ts';
import { createPeopleResolvers } from './people/resolvers.ts';
import type { Tables } from './store.ts';

const service = 'referrals';

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
  const outcomes = { onRefused: createOnRefused({ now }), onStored: createOnStored() };
  onStop(startCommandRelay({ db, nats, log, ...outcomes }));

  const handlers = [...createMappingConsumers({ nats, now }), ...createDeliveryConsumers({ now })];
  onStop(await consume({ db, nats, service, handlers, log }));

  const linkBase = env.REFERRAL_LINK_BASE;
  const subgraph = await createSubgraph({
    service,
    schemaFiles: [
      new URL('./campaigns/schema.graphql', import.meta.url),
      new URL('./people/schema.graphql', import.meta.url),
    ],
    resolvers: [
      createCampaignResolvers({ db, nats, now, linkBase }),
      createPeopleResolvers({ db, now }),
    ],
    loaders: createLoaders({ db }),
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
