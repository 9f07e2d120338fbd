import {
  ConnectionId,
  DataSourceId,
  EventId,
  FieldMappingId,
  type PipedriveRecord,
  RecordChanged,
  subjectOf,
  WorkspaceId,
} from '@manifold/contracts';
import { newId, withWorkspace } from '@manifold/database';
import { consume, ensureStream } from '@manifold/messaging';
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import { z } from 'zod';
import { createHandlers } from '../src/handlers.ts';
import { createMappings, keepMapping } from '../src/mappings/commands.ts';
import { type Neighbours, startNeighbours } from './neighbours.ts';
import { applyRecords } from '../src/records/commands.ts';
import { at, sourceOf } from './records.ts';
import { insertSource } from '../src/sources/store.ts';
import type { Db, ReadySource, SyncedObject, Tx } from '../src/store.ts';

interface Means {
  db: Db;
  nats: NatsConnection;
  log: Logger;
  eventually: <Result>(assertion: () => Promise<Result>) => Promise<Result>;
}

interface Change {
  action?: 'created' | 'updated' | 'deleted' | 'merged';
  /** Milliseconds from the first record on. */
  revision: number;
  mergedInto?: string;
  /** Absent: the source's own. */
  connectionId?: string;
  otherConnectionIds?: string[];
}

interface Told {
  receiptId: string;
  pipedriveId: string;
  revision: number;
  object?: string;
  action?: string;
  mergedIntoPipedriveId?: string;
  connectionId?: string;
  otherConnectionIds?: string[];
}

/** A workspace of one test with one source, and the changes Pipedrive tells it by event or in a page. */
export async function openChangeDesk({ db, nats, log, eventually }: Means) {
  const workspaceId = newId('ws', WorkspaceId);
  const within: Within = (work) => withWorkspace(db, workspaceId, work);
  const now = () => new Date();
  const mappings = createMappings();
  const openSource = (options: { rows?: string[] } = {}) =>
    within((tx) => addSource(tx, workspaceId, options));
  const source = await openSource();
  const neighbours = startNeighbours(nats, log);
  neighbours.connectionId = source.connection_id;
  neighbours.mappingId = source.mapping_id;
  for (const stream of ['contacts', 'connections', 'field-mapping'])
    await ensureStream(nats, stream);
  const handlers = createHandlers({ db, nats, mappings, now });
  const stopConsuming = await consume({ db, nats, service: 'contacts', handlers, log });
  return {
    ...{ neighbours, source, openSource, within },
    ...viewOf(within),
    ...tellerOf({ nats, neighbours, source, within, eventually }),
    /** A page of a run. */
    page: (object: SyncedObject, records: PipedriveRecord[], of: ReadySource = source) =>
      within(async (tx) => {
        const pinned = { mappingId: of.mapping_id, version: of.mapping_version };
        const mapping = await mappings.ready(tx, workspaceId, pinned);
        const applying = {
          source: of,
          mapping,
          object,
          arrival: { via: 'page' },
          now: now(),
        } as const;
        return applyRecords(tx, applying, records);
      }),
    close: async (): Promise<void> => {
      await stopConsuming();
      await neighbours.stop();
    },
  };
}

export type ChangeDesk = Awaited<ReturnType<typeof openChangeDesk>>;
type Within = <Result>(work: (tx: Tx) => Promise<Result>) => Promise<Result>;

const viewOf = (within: Within) => ({
  contacts: () => within((tx) => tx.selectFrom('contact').selectAll().orderBy('id').execute()),
  accounts: () => within((tx) => tx.selectFrom('account').selectAll().orderBy('id').execute()),
  links: () =>
    within((tx) => tx.selectFrom('record_link').selectAll().orderBy('pipedrive_id').execute()),
  /** The events about a contact or account, in order. */
  published: async (key: string) => {
    const rows = await within((tx) =>
      tx.selectFrom('outbox').select('body').where('key', '=', key).orderBy('id').execute(),
    );
    return rows.map(({ body }) => Published.parse(body));
  },
});

const Published = z.looseObject({
  payload: z.looseObject({ action: z.string(), changedKeys: z.array(z.string()) }),
});

interface Teller extends Pick<Means, 'nats' | 'eventually'> {
  neighbours: Neighbours;
  source: ReadySource;
  within: Within;
}

/** Says what Pipedrive did, as connections would. */
function tellerOf({ nats, neighbours, source, within, eventually }: Teller) {
  const { workspace_id: workspaceId } = source;
  const publishEvent = async (name: string, payload: object, id: EventId): Promise<EventId> => {
    const envelope = {
      ...{ id, name, workspaceId, occurredAt: at(0), correlationId: 'from-a-webhook' },
      ...{ actor: { kind: 'pipedrive', id: '1' }, payload },
    };
    await jetstream(nats).publish(subjectOf(name, workspaceId), JSON.stringify(envelope));
    return id;
  };
  const send = (told: Told, id = newId('ev', EventId)): Promise<EventId> => {
    const facts = { connectionId: source.connection_id, object: 'person', action: 'updated' };
    const revision = Date.parse(at(0)) + told.revision;
    const payload = { ...facts, changedKeys: [], origin: 'pipedrive', ...told, revision };
    return publishEvent(RecordChanged.name, payload, id);
  };
  const isIn = async (table: 'inbox' | 'inbox_waiting', id: EventId): Promise<boolean> => {
    const rows = await within((tx) =>
      tx.selectFrom(table).select('event_id').where('event_id', '=', id).execute(),
    );
    return rows.length > 0;
  };
  const handled = (id: EventId) =>
    eventually(async () => {
      if (!(await isIn('inbox', id))) throw new Error('The event has not been handled');
    });
  return {
    send,
    /** Tells of a change and waits until it was handled. Null: the webhook is no longer kept. */
    change: async (record: PipedriveRecord | null, change: Change): Promise<EventId> => {
      const { mergedInto, ...told } = change;
      const id = await send({
        receiptId: neighbours.keep(record),
        object: record?.object ?? 'person',
        pipedriveId: record?.id ?? '1',
        ...told,
        ...(mergedInto === undefined ? {} : { mergedIntoPipedriveId: mergedInto }),
      });
      await handled(id);
      return id;
    },
    sendEvent: async (name: string, payload: object): Promise<void> =>
      handled(await publishEvent(name, payload, newId('ev', EventId))),
    isWaiting: (id: EventId) => isIn('inbox_waiting', id),
  };
}

/** Rows: of the mapping, by id; all when absent. */
async function addSource(
  tx: Tx,
  workspaceId: WorkspaceId,
  { rows }: { rows?: string[] },
): Promise<ReadySource> {
  const created = new Date();
  const source: ReadySource = {
    workspace_id: workspaceId,
    id: newId('ds', DataSourceId),
    name: 'Sales',
    connection_id: newId('cn', ConnectionId),
    company_url: 'https://acme.pipedrive.com',
    mapping_id: newId('fm', FieldMappingId),
    mapping_version: 1,
    state: 'ACTIVE',
    step: 'DONE',
    retention_days: 90,
    require_identifier: false,
    created_at: created,
    updated_at: created,
  };
  const whole = sourceOf();
  const kept = rows === undefined ? whole.rows : whole.rows.filter(({ id }) => rows.includes(id));
  const mapping = {
    ...{ mappingId: source.mapping_id, version: 1, hash: 'f'.repeat(64) },
    source: { ...whole, rows: kept },
  };
  await keepMapping(tx, workspaceId, { mapping, now: created });
  await insertSource(tx, source);
  return source;
}
