import {
  AccountChanged,
  AccountId,
  ContactChanged,
  ContactId,
  type PipedriveRecord,
  ReadReceipts,
  RecordChanged,
} from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { ask, type Handler, onPrepared, type Origin, publish } from '@manifold/messaging';
import type { NatsConnection } from '@nats-io/transport-node';
import type { z } from 'zod';
import { removeRecord } from '../departures/commands.ts';
import type { Applying } from '../links/commands.ts';
import type { Mappings } from '../mappings/commands.ts';
import { listActiveSources } from '../sources/store.ts';
import { recordChange, recordSkips } from '../feed/commands.ts';
import type { Db, ReadySource, SyncedObject, Tables, Tx } from '../store.ts';
import { applyRecords } from './commands.ts';
import { readNow } from './reading.ts';

interface Deps {
  db: Db;
  nats: NatsConnection;
  mappings: Mappings;
  now: () => Date;
}

type Changed = z.infer<typeof RecordChanged.envelope>;

/** Changes in Pipedrive, each brought into every active source of the connections it tells. */
export const createRecordConsumers = (deps: Deps): Handler<Tables>[] => [
  onPrepared(
    RecordChanged,
    (event) => readChanged(deps, event),
    async (tx, event, record) => {
      const object = syncedObject(event.payload.object);
      if (object === undefined) return;
      const { workspaceId, payload } = event;
      for (const source of await listSources(tx, event)) {
        const mapping = await deps.mappings.ready(tx, workspaceId, {
          mappingId: source.mapping_id,
          version: source.mapping_version,
        });
        const arrival = { via: 'webhook', revision: payload.revision } as const;
        await follow(tx, event, {
          record,
          applying: { source, mapping, object, arrival, now: deps.now() },
        });
      }
    },
    // one record's events in series; the other records do not wait
    { keyOf: ({ payload }) => `${payload.object}|${payload.pipedriveId}` },
  ),
];

/** One event stands for all connections to a company whose users may see the record. */
async function listSources(tx: Tx, { workspaceId, payload }: Changed): Promise<ReadySource[]> {
  const sources: ReadySource[] = [];
  for (const connectionId of [payload.connectionId, ...(payload.otherConnectionIds ?? [])]) {
    sources.push(...(await listActiveSources(tx, workspaceId, connectionId)));
  }
  return sources;
}

const syncedObject = (object: string): SyncedObject | undefined =>
  object === 'person' || object === 'organization' ? object : undefined;

const isDeparture = ({ payload }: Changed): boolean =>
  payload.action === 'deleted' || payload.action === 'merged';

/** The record as the webhook carried it, or, once that is no longer kept, as Pipedrive has it now. */
async function readChanged(deps: Deps, event: Changed): Promise<PipedriveRecord | undefined> {
  const { workspaceId, payload } = event;
  const object = syncedObject(payload.object);
  if (object === undefined || isDeparture(event)) return undefined;
  const { fields, connectionIds } = await withWorkspace(deps.db, workspaceId, async (tx) => {
    const sources = await listSources(tx, event);
    const ready = sources.map((source) =>
      deps.mappings.ready(tx, workspaceId, {
        mappingId: source.mapping_id,
        version: source.mapping_version,
      }),
    );
    const mapped = (await Promise.all(ready)).flatMap((mapping) => mapping.fields[object]);
    const connectionIds = new Set(sources.map((source) => source.connection_id));
    return { fields: [...new Set(mapped)], connectionIds: [...connectionIds] };
  });
  if (fields.length === 0) return undefined;
  const question = { workspaceId, fields };
  const receiptIds = [payload.receiptId];
  const { records } = await ask(deps.nats, ReadReceipts, { ...question, receiptIds });
  const id = payload.pipedriveId;
  return records[0]?.record ?? readNow(deps.nats, { ...question, object, id, connectionIds });
}

async function follow(
  tx: Tx,
  event: Changed,
  { record, applying }: { record: PipedriveRecord | undefined; applying: Applying },
): Promise<void> {
  const { pipedriveId, revision, mergedIntoPipedriveId } = event.payload;
  if (isDeparture(event) || record?.deleted === true) {
    const departing = { pipedriveId, revision, mergedInto: mergedIntoPipedriveId };
    const departed = await removeRecord(tx, applying, departing);
    if (departed) await announce(tx, event, { ...departed, applying });
    return;
  }
  if (record === undefined) return;
  const [applied] = await applyRecords(tx, applying, [record]);
  if (applied) await recordSkips(tx, applying, { applied: [applied] });
  if (applied?.entityId === undefined) return;
  const { outcome, entityId, changedKeys } = applied;
  if (outcome !== 'created' && outcome !== 'updated') return;
  await announce(tx, event, { entityId, action: outcome, changedKeys, applying });
}

interface Announced {
  entityId: string;
  action: 'created' | 'updated' | 'deleted' | 'detached';
  changedKeys: readonly string[];
  applying: Applying;
}

async function announce(tx: Tx, event: Changed, announced: Announced): Promise<void> {
  const { entityId, action, applying } = announced;
  const { pipedriveId } = event.payload;
  const connectionId = applying.source.connection_id;
  const origin: Origin = {
    workspaceId: event.workspaceId,
    actor: { kind: 'service', id: 'contacts' },
    correlationId: event.correlationId,
    causationId: event.id,
  };
  const changedKeys = announced.changedKeys.slice(0, 500);
  await recordChange(tx, applying, { entityId, action, pipedriveId, changedKeys });
  const facts = { connectionId, pipedriveId, changedKeys };
  const sent = { origin, key: entityId, now: applying.now };
  if (applying.object === 'person') {
    const payload = { ...facts, contactId: ContactId.parse(entityId), action };
    await publish(tx, ContactChanged, { ...sent, payload });
  } else {
    const payload = {
      ...facts,
      accountId: AccountId.parse(entityId),
      // an account another source stands behind has changed
      action: action === 'detached' ? 'updated' : action,
    } as const;
    await publish(tx, AccountChanged, { ...sent, payload });
  }
}
