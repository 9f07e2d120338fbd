import {
  ConnectionId,
  type FieldDefinition,
  FieldsChanged,
  ListFields,
  type PipedriveRecord,
  ReadRecords,
  WorkspaceId,
} from '@manifold/contracts';
import { newId, withWorkspace } from '@manifold/database';
import {
  consume,
  ensureStream,
  publish,
  respondTo,
  respondWithPages,
  serveRequests,
  startRelay,
} from '@manifold/messaging';
import type { NatsConnection } from '@nats-io/transport-node';
import { createCatalogueConsumers } from '../src/catalogue/consumers.ts';
import { createGraph } from '../src/graph.ts';
import { migrations } from '../src/migrations/index.ts';
import type { Db } from '../src/store.ts';
import { createResponders } from '../src/versions/responders.ts';
import { standard } from './fields.ts';
import { PUBLISH, SAVE } from './operations.ts';

const service = 'field-mapping';
const now = () => new Date();

/** As loose as a client reads it. */
type Loose = ReturnType<typeof JSON.parse>;
type Graph = (query: string, variables?: object, caller?: object) => Promise<Loose>;

/** What is used of `@manifold/testing`, which only test files import. */
interface Testing {
  createTestDatabase: (all: typeof migrations) => Promise<{ db: Db; drop: () => Promise<void> }>;
  startTestNats: () => Promise<{ nats: NatsConnection; stop: () => Promise<void> }>;
  startTestGraph: (
    options: ReturnType<typeof createGraph> & {
      service: string;
      caller: { workspaceId: WorkspaceId; role: 'ADMIN' };
    },
  ) => Promise<{ graph: Graph; stop: () => Promise<void> }>;
  silentLog: Parameters<typeof startRelay>[0]['log'];
}

/** The whole service over a real database and broker, beside a stand-in for connections. */
export async function startFieldMapping(testing: Testing) {
  const { silentLog: log } = testing;
  const workspaceId = newId('ws', WorkspaceId);
  const connectionId = newId('cn', ConnectionId);
  const { db, drop } = await testing.createTestDatabase(migrations);
  const { nats, stop } = await testing.startTestNats();
  const { graph, stop: stopGraph } = await testing.startTestGraph({
    ...{ service, caller: { workspaceId, role: 'ADMIN' } },
    ...createGraph({ db, nats, now }),
  });
  await ensureStream(nats, service);
  await ensureStream(nats, 'connections');
  const { pipedrive, responders } = createPipedrive();
  const handlers = createCatalogueConsumers({ nats, now });
  const stops = [
    stopGraph,
    serveRequests({ nats, service: 'connections', responders, log }),
    await consume({ db, nats, service, handlers, log }),
    startRelay({ db, nats, log }),
    serveRequests({ nats, service, responders: createResponders({ db }), log }),
  ];
  return {
    ...{ workspaceId, connectionId, db, nats, graph, pipedrive },
    ...createActions(graph, connectionId),
    /** Pipedrive's fields become others, and connections tells so. */
    changeFields: async (fields: FieldDefinition[]) => {
      pipedrive.fields = fields;
      pipedrive.revision += 1;
      await tellOfFields({ db, workspaceId, connectionId, revision: pipedrive.revision });
    },
    /** Bodies of the events of a name this service has told, oldest first. */
    told: async (name: string) => {
      const rows = await withWorkspace(db, workspaceId, (tx) =>
        tx.selectFrom('outbox').select(['name', 'body']).orderBy('id').execute(),
      );
      return rows.filter((row) => row.name === name).map(({ body }) => body);
    },
    stop: async () => {
      for (const release of stops.toReversed()) await release();
      await stop();
      await drop();
    },
  };
}

/** What the stand-in knows, and which pages of records it was asked for. */
function createPipedrive() {
  const pipedrive = {
    fields: standard,
    revision: 1,
    records: [] as PipedriveRecord[],
    asked: [] as unknown[],
    budgetSpent: false,
  };
  const responders = [
    respondTo(ListFields, async ({ object }) => ({
      revision: pipedrive.revision,
      fields: pipedrive.fields.filter((field) => field.object === object),
    })),
    respondWithPages(ReadRecords, async (question) => {
      pipedrive.asked.push(question);
      if (pipedrive.budgetSpent) {
        const until = '2026-03-02T00:00:00Z';
        return { items: [], end: { outcome: 'wait' as const, until, reason: 'budget_spent' } };
      }
      const items = pipedrive.records.filter(
        ({ object, id }) => object === question.object && (question.ids?.includes(id) ?? true),
      );
      return { items, end: { outcome: 'page' as const, nextCursor: null, costTokens: 10 } };
    }),
  ];
  return { pipedrive, responders };
}

function createActions(graph: Graph, connectionId: ConnectionId) {
  /** A mutation that answers a mapping; a refusal is thrown. */
  const run = async (text: string, input: object): Promise<Loose> => {
    const { data, errors } = await graph(text, { input });
    if (errors !== undefined) throw new Error(JSON.stringify(errors));
    const payloads: Loose[] = Object.values(data);
    return payloads[0].fieldMapping;
  };
  const usual = { name: 'A', purpose: 'CONTACTS_FROM_PIPEDRIVE', connectionId };
  return {
    run,
    save: (input: object) => run(SAVE, { ...usual, ...input }),
    publish: (id: string) => run(PUBLISH, { id }),
  };
}

const tellOfFields = ({
  db,
  workspaceId,
  ...changed
}: {
  db: Db;
  workspaceId: WorkspaceId;
  connectionId: ConnectionId;
  revision: number;
}): Promise<void> =>
  withWorkspace(db, workspaceId, (tx) =>
    publish(tx, FieldsChanged, {
      origin: { workspaceId, actor: { kind: 'service', id: 'connections' }, correlationId: 'c' },
      key: changed.connectionId,
      payload: { ...changed, object: 'person', added: [], changed: [], removed: [] },
      now: now(),
    }),
  );
