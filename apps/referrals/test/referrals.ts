import { ConnectionId, FieldMappingId, type Identity, WorkspaceId } from '@manifold/contracts';
import { newId } from '@manifold/database';
import { consume, ensureStream, startCommandRelay, startRelay } from '@manifold/messaging';
import type { SubgraphOptions } from '@manifold/subgraph';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import { createCampaignResolvers } from '../src/campaigns/resolvers.ts';
import { createOnRefused, createOnStored } from '../src/deliveries/commands.ts';
import { createDeliveryConsumers } from '../src/deliveries/consumers.ts';
import { createLoaders, type Loaders } from '../src/loaders.ts';
import { createMappingConsumers } from '../src/mappings/consumers.ts';
import { createPeopleResolvers } from '../src/people/resolvers.ts';
import type { Db } from '../src/store.ts';
import { createNeighbours } from './neighbours.ts';
import { LAUNCH, ONE_USER, SAVE, SIGN_UP } from './operations.ts';

const service = 'referrals';

/** What a test file starts with `@manifold/testing`. */
interface Means {
  db: Db;
  nats: NatsConnection;
  log: Logger;
  startTestGraph: (
    subgraph: Omit<SubgraphOptions<Loaders>, 'publicKey' | 'log'> & { caller: Partial<Identity> },
  ) => Promise<{ graph: Graph; stop: () => Promise<void> }>;
}

type Graph = (
  query: string,
  variables?: object,
  caller?: Partial<Identity>,
) => Promise<ReturnType<typeof JSON.parse>>;

/** The service as `main.ts` wires it, on a database and a broker of the test, between stand-ins. */
export async function startReferrals({ db, nats, log, startTestGraph }: Means) {
  const now = () => new Date();
  const workspaceId = newId('ws', WorkspaceId);
  const connectionId = newId('cn', ConnectionId);
  const mappingId = newId('fm', FieldMappingId);
  const neighbours = createNeighbours(nats, connectionId);
  await ensureStream(nats, service);
  const { graph, stop: stopGraph } = await startTestGraph({
    service,
    caller: { workspaceId, role: 'ADMIN' },
    schemaFiles: ['campaigns', 'people'].map(
      (noun) => new URL(`../src/${noun}/schema.graphql`, import.meta.url),
    ),
    resolvers: [
      createCampaignResolvers({ db, nats, now, linkBase: 'https://ref.acme.test/' }),
      createPeopleResolvers({ db, now }),
    ],
    loaders: createLoaders({ db }),
  });
  const handlers = [...createMappingConsumers({ nats, now }), ...createDeliveryConsumers({ now })];
  const stops = [
    stopGraph,
    await consume({ db, nats, service, handlers, log }),
    startRelay({ db, nats, log }),
    startCommandRelay({
      db,
      nats,
      log,
      onRefused: createOnRefused({ now }),
      onStored: createOnStored(),
    }),
  ];
  const stop = async () => {
    for (const release of stops.toReversed()) await release();
  };

  const actions = createActions(graph, { name: 'Spring', connectionId, mappingId });
  return { ...actions, workspaceId, connectionId, mappingId, neighbours, graph, stop };
}

/** What most tests do before they begin. */
function createActions(graph: Graph, campaign: object) {
  /** A campaign that takes sign-ups. */
  async function openCampaign(settings: object = {}): Promise<string> {
    const input = { ...campaign, ...settings };
    const { data } = await graph(SAVE, { input });
    const { id } = data.saveCampaign.campaign;
    await graph(LAUNCH, { input: { id } });
    return id;
  }

  async function signUp(input: { campaignId: string; email: string; [key: string]: unknown }) {
    const { data, errors } = await graph(SIGN_UP, { input: { firstName: 'Ada', ...input } });
    if (errors) throw new Error(JSON.stringify(errors));
    return data.signUp;
  }
  const userOf = async (id: string) => (await graph(ONE_USER, { id })).data.referralUser;
  return { openCampaign, signUp, userOf };
}
