import { readFile } from 'node:fs/promises';
import { connectNats } from '@manifold/messaging';
import { runService } from '@manifold/service';
import { readPrivateKey } from '@manifold/subgraph';
import { config } from './config.ts';
import { startGateway } from './start.ts';

const supergraph = new URL('../supergraph.graphql', import.meta.url);

await runService('gateway', async ({ log, onStop }) => {
  const env = config();
  const nats = await connectNats({ url: env.NATS_URL, service: 'gateway', log });
  onStop(() => nats.drain());
  const gateway = await startGateway({
    supergraphSdl: await readFile(supergraph, 'utf8'),
    serviceUrls: env.SERVICE_URLS,
    privateKey: readPrivateKey(env.IDENTITY_PRIVATE_KEY),
    corsOrigins: env.CORS_ORIGINS,
    nats,
    host: env.HOST,
    port: env.PORT,
    log,
  });
  onStop(gateway.stop);
});
