import { z } from 'zod';
import { ConnectionId, WebhookReceiptId, WorkspaceId } from './ids.ts';
import { FieldDefinition, PipedriveObject, PipedriveRecord } from './pipedrive-records.ts';
import { definePageRequest, defineRequest } from './request.ts';

/** One page of records, each holding only the named fields; updated order when `updatedSince` is given. */
export const ReadRecords = definePageRequest('request.connections.read_records.v1', {
  question: z.object({
    workspaceId: WorkspaceId,
    connectionId: ConnectionId,
    object: PipedriveObject,
    /** Field codes to keep; others are dropped before anything is sent. */
    fields: z.array(z.string().max(64)).max(500),
    cursor: z.string().max(2048).optional(),
    /** Only these records; excludes `cursor` and `updatedSince`. */
    ids: z.array(z.string().max(64)).min(1).max(100).optional(),
    /** Whole seconds, inclusive. */
    updatedSince: z.iso.datetime().optional(),
    limit: z.int().min(1).max(500),
    /** Who waits for it; absent: `event` for named ids, else `bulk`. */
    lane: z.enum(['interactive', 'event', 'bulk']).optional(),
  }),
  item: PipedriveRecord,
  end: z.discriminatedUnion('outcome', [
    z.object({
      outcome: z.literal('page'),
      nextCursor: z.string().nullable(),
      costTokens: z.int(),
    }),
    /** The budget does not allow the read now. Nothing was read. */
    z.object({ outcome: z.literal('wait'), until: z.iso.datetime(), reason: z.string() }),
  ]),
});

/** The record as the webhook of this receipt carried it; costs no tokens. Null when no longer kept. */
export const ReadReceipts = defineRequest(
  'request.connections.read_receipts.v1',
  z.object({
    workspaceId: WorkspaceId,
    receiptIds: z.array(WebhookReceiptId).min(1).max(20),
    fields: z.array(z.string().max(64)).max(500),
  }),
  z.object({
    records: z.array(z.object({ receiptId: WebhookReceiptId, record: PipedriveRecord.nullable() })),
  }),
);

/** The field catalogue of one object as last read from Pipedrive. */
export const ListFields = defineRequest(
  'request.connections.list_fields.v1',
  z.object({ workspaceId: WorkspaceId, connectionId: ConnectionId, object: PipedriveObject }),
  z.object({ revision: z.int(), fields: z.array(FieldDefinition) }),
);

/** What others need to know of a connection before they build on it. */
export const DescribeConnection = defineRequest(
  'request.connections.describe_connection.v1',
  z.object({ workspaceId: WorkspaceId, connectionId: ConnectionId }),
  z.object({
    connectionId: ConnectionId,
    status: z.enum(['ACTIVE', 'DISABLED', 'NEEDS_REAUTH']),
    companyId: z.string(),
    companyDomain: z.string(),
    /** Where the company's web application lives, without a slash at its end. */
    companyUrl: z.url(),
  }),
);

/** How many records of an object Pipedrive holds for this connection, as far as it is known without a scan. */
export const CountRecords = defineRequest(
  'request.connections.count_records.v1',
  z.object({ workspaceId: WorkspaceId, connectionId: ConnectionId, object: PipedriveObject }),
  z.object({
    count: z.int().nullable(),
    /** The newest id, for objects whose ids are numbers that grow: there are at most that many. */
    highestId: z.int().nullable().optional(),
    costTokens: z.int(),
  }),
);
