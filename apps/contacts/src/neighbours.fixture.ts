import {
  ConnectionId,
  CountRecords,
  DescribeConnection,
  FieldMappingId,
  GetMapping,
  type MappingSource,
  type MergePolicy,
  type PipedriveRecord,
  ReadReceipts,
  ReadRecords,
  WebhookReceiptId,
} from '@manifold/contracts';
import { newId } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { respondTo, respondWithPages, serveRequests } from '@manifold/messaging';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import type { SyncedObject } from './store.ts';

const T0 = Date.parse('2026-01-01T00:00:00Z');
export const INDUSTRY = 'a'.repeat(40);
export const BUDGET = 'b'.repeat(40);

/** `2026-01-01T00:00:00Z` and so many seconds. */
export const at = (second: number): string => new Date(T0 + second * 1_000).toISOString();

export const personOf = (
  id: number,
  changes: { name?: string; email?: string; organization?: number | null; second?: number } = {},
): PipedriveRecord => ({
  object: 'person',
  id: String(id),
  updateTime: at(changes.second ?? 0),
  addTime: at(0),
  deleted: false,
  fields: {
    name: changes.name ?? `Person ${String(id).padStart(5, '0')}`,
    emails: [{ value: changes.email ?? `person${id}@Example.com`, label: 'work', primary: true }],
    phones: [{ value: `+49 30 ${id}`, label: 'mobile', primary: true }],
    org_id: changes.organization === undefined ? null : changes.organization,
    [INDUSTRY]: 1 + (id % 2),
    [BUDGET]: { value: id * 10, currency: 'EUR' },
    secret_note: 'never asked for',
  },
});

export const organizationOf = (id: number, second = 0): PipedriveRecord => ({
  object: 'organization',
  id: String(id),
  updateTime: at(second),
  addTime: at(0),
  deleted: false,
  fields: { name: `Organization ${id}`, website: `https://org${id}.example.com` },
});

const row = (id: string, source: object, target: object) => ({ id, source, target });

/** A mapping of a few fields, with the given policy. */
export const sourceOf = (policy: Partial<MergePolicy> = {}, more: object[] = []): MappingSource =>
  GetMapping.answer.shape.source.parse({
    direction: 'from_pipedrive',
    policy: { existing: 'overwrite', ignoreEmpty: false, ...policy },
    rows: [
      row(
        '1',
        { object: 'person', field: 'name' },
        { object: 'contact', field: 'name', type: 'text' },
      ),
      row(
        '2',
        { object: 'person', field: 'emails', part: 'primary' },
        { object: 'contact', field: 'email', type: 'email' },
      ),
      row(
        '3',
        { object: 'person', field: 'emails' },
        { object: 'contact', field: 'emails', type: 'email_list' },
      ),
      row(
        '4',
        { object: 'person', field: 'phones', part: 'primary' },
        { object: 'contact', field: 'phone', type: 'phone' },
      ),
      row(
        '5',
        { object: 'person', field: INDUSTRY },
        { object: 'contact', field: 'industry', type: 'option' },
      ),
      row(
        '6',
        { object: 'person', field: BUDGET },
        { object: 'contact', field: 'budget', type: 'money' },
      ),
      row(
        '7',
        { object: 'organization', field: 'name' },
        { object: 'account', field: 'name', type: 'text' },
      ),
      row(
        '8',
        { object: 'organization', field: 'website' },
        { object: 'account', field: 'website', type: 'text' },
      ),
      ...more,
    ],
    catalogue: [
      { object: 'person', code: 'name', name: 'Name', type: 'varchar', custom: false },
      { object: 'person', code: 'emails', name: 'Email', type: 'emails', custom: false },
      { object: 'person', code: 'phones', name: 'Phone', type: 'phones', custom: false },
      {
        ...{ object: 'person', code: INDUSTRY, name: 'Industry', type: 'enum', custom: true },
        options: [
          { id: 1, label: 'Retail' },
          { id: 2, label: 'Farming' },
        ],
      },
      { object: 'person', code: BUDGET, name: 'Budget', type: 'monetary', custom: true },
      { object: 'organization', code: 'name', name: 'Name', type: 'varchar', custom: false },
      { object: 'organization', code: 'website', name: 'Website', type: 'varchar', custom: false },
    ],
  });

/** What connections and field-mapping would answer, over records held in memory. */
export interface Neighbours {
  connectionId: ConnectionId;
  mappingId: FieldMappingId;
  records: Record<SyncedObject, PipedriveRecord[]>;
  receipts: Map<string, PipedriveRecord | null>;
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
  counts: { known: boolean };
  keep(record: PipedriveRecord | null): WebhookReceiptId;
  stop: () => Promise<void>;
}

export function startNeighbours(nats: NatsConnection, log: Logger): Neighbours {
  const neighbours: Neighbours = {
    connectionId: newId('cn', ConnectionId),
    mappingId: newId('fm', FieldMappingId),
    records: { person: [], organization: [] },
    receipts: new Map(),
    mapping: { version: 1, source: sourceOf() },
    pages: [],
    beforePage: async () => undefined,
    counts: { known: true },
    keep: (record) => {
      const id = newId('wh', WebhookReceiptId);
      neighbours.receipts.set(id, record);
      return id;
    },
    stop: serveRequests({
      nats,
      service: 'neighbours',
      log,
      responders: respondersOf(() => neighbours),
    }),
  };
  return neighbours;
}

const listOf = (neighbours: Neighbours, object: string): PipedriveRecord[] =>
  object === 'person' || object === 'organization' ? neighbours.records[object] : [];

const project = (record: PipedriveRecord, fields: readonly string[]): PipedriveRecord => ({
  ...record,
  fields: Object.fromEntries(
    Object.entries(record.fields).filter(([code]) => fields.includes(code)),
  ),
});

const respondersOf = (of: () => Neighbours) => [
  respondWithPages(ReadRecords, async ({ object, cursor, fields, ids, limit, updatedSince }) => {
    const neighbours = of();
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
  }),
  respondTo(ReadReceipts, async ({ receiptIds, fields }) => ({
    records: receiptIds.map((receiptId) => {
      const record = of().receipts.get(receiptId);
      return { receiptId, record: record ? project(record, fields) : null };
    }),
  })),
  respondTo(DescribeConnection, async ({ connectionId }) => {
    if (connectionId !== of().connectionId)
      throw noRecord(`There is no connection ${connectionId}`);
    return { connectionId, status: 'ACTIVE' as const, companyId: '1', companyDomain: 'acme' };
  }),
  respondTo(CountRecords, async ({ object }) => ({
    count: of().counts.known ? listOf(of(), object).length : null,
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

const noRecord = (message: string): Refusal =>
  new Refusal('not_found', message, { reason: 'record_not_found' });
