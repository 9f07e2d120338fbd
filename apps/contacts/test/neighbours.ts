import {
  ConnectionId,
  CountRecords,
  DescribeConnection,
  FieldMappingId,
  GetMapping,
  type MappingSource,
  type PipedriveRecord,
  ReadReceipts,
  ReadRecords,
  ReleaseRegistry,
  RequireRegistry,
  WebhookReceiptId,
} from '@manifold/contracts';
import { newId } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { respondTo, respondWithPages, serveRequests } from '@manifold/messaging';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import { sourceOf } from './records.ts';
import type { SyncedObject } from '../src/store.ts';

/** What connections and field-mapping would answer, over records held in memory. */
export interface Neighbours {
  connectionId: ConnectionId;
  mappingId: FieldMappingId;
  records: Record<SyncedObject, PipedriveRecord[]>;
  receipts: Map<string, PipedriveRecord | null>;
  /** Connections nothing can be read with any more. */
  removed: Set<ConnectionId>;
  mapping: { version: number; source: MappingSource };
  /** Every question about pages, in order. */
  pages: {
    object: string;
    cursor: string | undefined;
    fields: readonly string[];
    updatedSince: string | undefined;
  }[];
  /** Runs before each page is answered; may throw, or name a time to wait until. */
  beforePage: (page: number) => Promise<{ waitUntil: Date } | undefined>;
  /** Says how many there are, or their highest id, or neither. */
  sizes: 'counted' | 'highest-id' | 'unknown';
  companyUrl: string;
  status: 'ACTIVE' | 'DISABLED' | 'NEEDS_REAUTH';
  /** What is tracked, and for whom, as it was told last. */
  tracked: Map<SyncedObject, { feature: string; keys: readonly object[] }>;
  /** How often it was told so. */
  timesTracked: number;
  keep(record: PipedriveRecord | null): WebhookReceiptId;
  stop: () => Promise<void>;
  /** Answers again after a stop. */
  restart: () => void;
}

export function startNeighbours(nats: NatsConnection, log: Logger): Neighbours {
  const neighbours: Neighbours = {
    connectionId: newId('cn', ConnectionId),
    mappingId: newId('fm', FieldMappingId),
    records: { person: [], organization: [] },
    receipts: new Map(),
    removed: new Set(),
    mapping: { version: 1, source: sourceOf() },
    pages: [],
    beforePage: async () => undefined,
    sizes: 'counted',
    companyUrl: 'https://acme.pipedrive.com',
    status: 'ACTIVE',
    tracked: new Map(),
    timesTracked: 0,
    keep: (record) => {
      const id = newId('wh', WebhookReceiptId);
      neighbours.receipts.set(id, record);
      return id;
    },
    stop: async () => undefined,
    restart: () => {
      const responders = [...respondersOf(() => neighbours), ...trackersOf(() => neighbours)];
      neighbours.stop = serveRequests({ nats, service: 'neighbours', log, responders });
    },
  };
  neighbours.restart();
  return neighbours;
}

const isSynced = (object: string): object is SyncedObject =>
  object === 'person' || object === 'organization';

const listOf = (neighbours: Neighbours, object: string): PipedriveRecord[] =>
  isSynced(object) ? neighbours.records[object] : [];

const project = (record: PipedriveRecord, fields: readonly string[]): PipedriveRecord => ({
  ...record,
  fields: Object.fromEntries(
    Object.entries(record.fields).filter(([code]) => fields.includes(code)),
  ),
});

const trackersOf = (of: () => Neighbours) => [
  respondTo(RequireRegistry, async ({ connectionId, object, feature, keys }) => {
    const neighbours = of();
    if (connectionId !== neighbours.connectionId || !isSynced(object)) throw noConnection();
    neighbours.tracked.set(object, { feature, keys });
    neighbours.timesTracked += 1;
    return { state: 'building' as const };
  }),
  respondTo(ReleaseRegistry, async ({ connectionId, object }) => {
    if (connectionId !== of().connectionId || !isSynced(object)) return { released: false };
    return { released: of().tracked.delete(object) };
  }),
];

const readerOf = (of: () => Neighbours) =>
  respondWithPages(ReadRecords, async ({ connectionId, ...question }) => {
    const { object, cursor, fields, ids, limit, updatedSince } = question;
    const neighbours = of();
    if (neighbours.removed.has(connectionId))
      throw noRecord(`There is no connection ${connectionId}`);
    const all = listOf(neighbours, object);
    if (ids) {
      const items = all
        .filter(({ id }) => ids.includes(id))
        .map((record) => project(record, fields));
      return { items, end: { outcome: 'page' as const, nextCursor: null, costTokens: 1 } };
    }
    neighbours.pages.push({ object, cursor, fields, updatedSince });
    const wait = await neighbours.beforePage(neighbours.pages.length);
    if (wait) {
      const until = wait.waitUntil.toISOString();
      return { items: [], end: { outcome: 'wait' as const, until, reason: 'budget_spent' } };
    }
    const listed = all.filter(
      ({ updateTime }) => updatedSince === undefined || (updateTime ?? '') >= updatedSince,
    );
    const from = Number(cursor ?? 0);
    const items = listed.slice(from, from + limit).map((record) => project(record, fields));
    const next = from + limit < listed.length ? String(from + limit) : null;
    return { items, end: { outcome: 'page' as const, nextCursor: next, costTokens: 10 } };
  });

const respondersOf = (of: () => Neighbours) => [
  readerOf(of),
  respondTo(ReadReceipts, async ({ receiptIds, fields }) => ({
    records: receiptIds.map((receiptId) => {
      const record = of().receipts.get(receiptId);
      return { receiptId, record: record ? project(record, fields) : null };
    }),
  })),
  respondTo(DescribeConnection, async ({ connectionId }) => {
    if (connectionId !== of().connectionId)
      throw noRecord(`There is no connection ${connectionId}`);
    const company = { companyDomain: 'acme', companyUrl: of().companyUrl };
    return { connectionId, status: of().status, companyId: '1', ...company };
  }),
  respondTo(CountRecords, async ({ object }) => ({
    count: of().sizes === 'counted' ? listOf(of(), object).length : null,
    highestId: of().sizes === 'highest-id' ? Number(listOf(of(), object).at(-1)?.id ?? 0) : null,
    costTokens: 2,
  })),
  respondTo(GetMapping, async ({ mappingId, version }) => {
    const { mapping, connectionId } = of();
    if (mappingId !== of().mappingId) throw noRecord(`There is no mapping ${mappingId}`);
    return {
      ...{ mappingId, version: version ?? mapping.version, connectionId, source: mapping.source },
      ...{ purpose: 'CONTACTS_FROM_PIPEDRIVE' as const, hash: 'f'.repeat(64) },
    };
  }),
];

/** For good, as connections refuses what needs a connection that was removed. */
const noConnection = (): Refusal =>
  new Refusal('precondition', 'There is no such connection', { reason: 'connection_missing' });

const noRecord = (message: string): Refusal =>
  new Refusal('not_found', message, { reason: 'record_not_found' });
