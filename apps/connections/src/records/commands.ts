import type {
  CountRecords,
  FieldDefinition,
  PipedriveObject,
  PipedriveRecord,
  ReadReceipts,
  ReadRecords,
} from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import {
  isCustomCode,
  isListedByIds,
  operations,
  type Outcome,
  type PipedriveClient,
  type RecordObject,
  recordOperations,
} from '@manifold/pipedrive';
import type { z } from 'zod';
import type { PipedriveAccess } from '../accounts/calling/client.ts';
import { refusalOf } from '../accounts/rules.ts';
import { noticeFields } from '../fields/commands.ts';
import { type Catalogue, findCatalogue } from '../fields/store.ts';
import type { Db } from '../store.ts';
import type { Vault } from '../vault/seal.ts';
import { readRecord } from '../webhooks/commands.ts';
import { project } from '../webhooks/rules.ts';
import { listReceipts } from '../webhooks/store.ts';
import { MOST_ONE_BY_ONE, priceOf, readByIds } from './by-ids.ts';
import { includedFields, isReadable, offeredFields } from './rules.ts';

export interface ReadingDeps {
  db: Db;
  vault: Vault;
  access: PipedriveAccess;
  now: () => Date;
}

type Question = z.output<typeof ReadRecords.question>;
type Page = { items: PipedriveRecord[]; end: z.input<typeof ReadRecords.end> };

/** One page, cut down to the named fields. Without budget the answer is when to ask again. */
export async function readPage(deps: ReadingDeps, question: Question): Promise<Page> {
  const { workspaceId, connectionId, object, fields } = question;
  const readable = requireReadable(object, question.ids);
  const lane = question.lane ?? (question.ids === undefined ? 'bulk' : 'event');
  const client = await deps.access.clientFor(workspaceId, connectionId, { lane, feature: 'reads' });
  const catalogue = await withWorkspace(deps.db, workspaceId, (tx) =>
    findCatalogue(tx, connectionId, object),
  );
  const definitions = catalogue?.fields ?? [];
  const reading = await readFrom(client, readable, { question, definitions });
  if (reading.outcome === 'limited') return waitFor(reading, deps.now());
  if (reading.outcome !== 'ok') throw refusalOf(reading);
  await notice(deps, question, { catalogue, records: reading.data });
  return {
    items: reading.data.map((record) => project(record, fields)),
    end: {
      outcome: 'page',
      nextCursor: reading.nextCursor ?? null,
      costTokens: costOf(readable, question),
    },
  };
}

function requireReadable(object: PipedriveObject, ids: readonly string[] = []): RecordObject {
  if (!isReadable(object)) {
    throw new Refusal('invalid', `Records of the kind ${object} cannot be listed`, {
      reason: 'invalid_input',
      field: 'object',
    });
  }
  if (isListedByIds(object) || ids.length <= MOST_ONE_BY_ONE) return object;
  throw new Refusal('invalid', `At most ${MOST_ONE_BY_ONE} ${object}s can be named at once`, {
    reason: 'too_many_items',
    field: 'ids',
    fix: 'Ask for fewer, or list them.',
  });
}

const waitFor = (limited: { kind: string; retryAfterMs: number }, now: Date): Page => ({
  items: [],
  end: {
    outcome: 'wait',
    until: new Date(now.getTime() + limited.retryAfterMs).toISOString(),
    reason: limited.kind === 'daily' ? 'budget_spent' : 'burst_limited',
  },
});

type Reading = { question: Question; definitions: readonly FieldDefinition[] };

async function readFrom(
  client: PipedriveClient,
  object: RecordObject,
  { question, definitions }: Reading,
): Promise<Outcome<PipedriveRecord[]>> {
  const { ids, fields, cursor, limit, updatedSince } = question;
  const included = offeredFields(includedFields(object, fields), definitions);
  const selection = {
    definitions,
    customFields: fields.filter(isCustomCode),
    includeFields: included.length === 0 ? undefined : included,
  };
  if (ids === undefined) {
    const since = updatedSince === undefined ? undefined : new Date(updatedSince);
    return client.listRecords(object, { ...selection, cursor, limit, updatedSince: since });
  }
  const read = await readByIds(client, object, { ...selection, ids: [...new Set(ids)] });
  // a list leaves out what somebody deleted, so this does too
  return read.outcome === 'ok'
    ? { outcome: 'ok', data: read.data.filter(({ deleted }) => !deleted) }
    : read;
}

const costOf = (object: RecordObject, { ids }: Question): number =>
  ids === undefined
    ? operations[recordOperations[object].list].priceTokens
    : priceOf(object, [...new Set(ids)]);

type CountQuestion = z.output<typeof CountRecords.question>;

/** Pipedrive counts nothing without listing everything; the newest id is one small page away. */
export async function countRecords(
  { access }: Pick<ReadingDeps, 'access'>,
  { workspaceId, connectionId, object }: CountQuestion,
): Promise<z.input<typeof CountRecords.answer>> {
  const unknown = { count: null, highestId: null, costTokens: 0 };
  if (!isReadable(object) || !isListedByIds(object)) return unknown;
  const client = await access.clientFor(workspaceId, connectionId, {
    lane: 'bulk',
    feature: 'reads',
  });
  const newest = await client.listRecords(object, {
    ...{ sortBy: 'id', sortDirection: 'desc', limit: 1 },
  });
  if (newest.outcome !== 'ok') return unknown;
  const highestId = Number(newest.data[0]?.id ?? 0);
  return {
    count: highestId === 0 ? 0 : null,
    highestId: Number.isSafeInteger(highestId) ? highestId : null,
    costTokens: operations[recordOperations[object].list].priceTokens,
  };
}

async function notice(
  { db, now }: ReadingDeps,
  { workspaceId, connectionId, object, fields }: Question,
  seen: { catalogue: Catalogue | undefined; records: readonly PipedriveRecord[] },
): Promise<void> {
  const { catalogue } = seen;
  const keys = new Set([
    ...fields,
    ...seen.records.flatMap((record) => Object.keys(record.fields)),
  ]);
  await withWorkspace(db, workspaceId, (tx) =>
    noticeFields(tx, { connectionId, object, keys: [...keys], catalogue, now: now() }),
  );
}

type ReceiptsQuestion = z.output<typeof ReadReceipts.question>;

/** The records as their webhooks carried them; null for what is gone, or was never ours. */
export async function readReceipts(
  { db, vault }: Pick<ReadingDeps, 'db' | 'vault'>,
  { workspaceId, receiptIds, fields }: ReceiptsQuestion,
): Promise<z.input<typeof ReadReceipts.answer>> {
  const receipts = await withWorkspace(db, workspaceId, (tx) =>
    listReceipts(tx, workspaceId, receiptIds),
  );
  const byId = new Map(receipts.map((receipt) => [receipt.id, receipt]));
  return {
    records: receiptIds.map((receiptId) => {
      const receipt = byId.get(receiptId);
      const record = receipt && readRecord(vault, receipt);
      return { receiptId, record: record === undefined ? null : project(record, fields) };
    }),
  };
}
