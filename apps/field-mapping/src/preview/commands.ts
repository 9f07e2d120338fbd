import { randomInt } from 'node:crypto';
import {
  type ConnectionId,
  type FieldDefinition,
  type MappingPurpose,
  type MappingRow,
  type MergePolicy,
  type PipedriveRecord,
  ReadRecords,
  type VariableType,
  type WorkspaceId,
} from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { sourceFieldsOf } from '@manifold/mapping';
import { askForPage } from '@manifold/messaging';
import { refreshCatalogue } from '../catalogue/commands.ts';
import { absent, type Deps } from '../mappings/deps.ts';
import { readRows } from '../mappings/input.ts';
import { sourceOf, usualPolicy } from '../mappings/rules.ts';
import { findMapping } from '../mappings/store.ts';
import { typeOfPart } from '../matching/fields/rules.ts';
import { objectsOf } from '../matching/rules.ts';
import type { PreviewInput } from './input.ts';
import { type Preview, previewRecords } from './rules.ts';

/** What a mapping would make of a record of Pipedrive; the record is read for this answer and kept nowhere (SL-94). */
export async function previewMapping(
  deps: Deps,
  workspaceId: WorkspaceId,
  input: PreviewInput,
): Promise<Preview & { catalogue: FieldDefinition[]; costTokens: number; working: Working }> {
  const base = await readBase(deps, workspaceId, input);
  if (base.purpose !== 'CONTACTS_FROM_PIPEDRIVE') throw notFromPipedrive();
  const { connectionId } = base;
  const objects = objectsOf(base.purpose);
  const catalogue = await refreshCatalogue(deps, { workspaceId, connectionId, objects });
  const rows = input.rows ? readRows(input.rows, catalogue) : base.rows;
  const working = { purpose: base.purpose, rows, policy: input.policy ?? base.policy };
  const object = input.object === 'PERSON' ? 'person' : 'organization';
  const { records, costTokens } = await readSome(deps, {
    ...{ workspaceId, connectionId, object, recordId: input.recordId },
    fields: sourceFieldsOf(rows, object).slice(0, MOST_FIELDS),
  });
  const preview = previewRecords({
    ...{ source: sourceOf(working, catalogue), object, records },
    existing:
      input.existing && Object.fromEntries(input.existing.map((one) => [one.field, one.value])),
    typeOf: (row) => typeOf(row, catalogue),
  });
  return { ...preview, catalogue, costTokens, working };
}

const MOST_FIELDS = 500;

interface Working {
  purpose: MappingPurpose;
  rows: MappingRow[];
  policy: MergePolicy;
}

/** The working copy that is meant, or the beginning of one. */
async function readBase(
  { db }: Deps,
  workspaceId: WorkspaceId,
  { mappingId, connectionId, purpose }: PreviewInput,
): Promise<Working & { connectionId: ConnectionId }> {
  if (mappingId !== undefined) {
    const mapping = await withWorkspace(db, workspaceId, (tx) =>
      findMapping(tx, workspaceId, mappingId),
    );
    if (!mapping) throw absent(mappingId);
    return { ...mapping, connectionId: connectionId ?? mapping.connection_id };
  }
  if (connectionId === undefined || purpose === undefined) {
    throw new Refusal('invalid', 'Name a mapping, or a connection and a purpose', {
      ...{ reason: 'invalid_input', field: 'input.mappingId' },
    });
  }
  return { connectionId, purpose, rows: [], policy: usualPolicy(purpose) };
}

const notFromPipedrive = () =>
  new Refusal('invalid', 'Only a mapping that reads from Pipedrive can be previewed on a record', {
    reason: 'invalid_input',
    field: 'input.mappingId',
    fix: 'Choose a mapping with the purpose CONTACTS_FROM_PIPEDRIVE.',
  });

const typeOf = ({ source }: MappingRow, catalogue: readonly FieldDefinition[]): VariableType => {
  if ('type' in source) return source.type;
  const field = catalogue.find(
    ({ object, code }) => object === source.object && code === source.field,
  );
  return field === undefined ? 'text' : typeOfPart(field, source.part);
};

interface Wanted {
  workspaceId: WorkspaceId;
  connectionId: ConnectionId;
  object: 'person' | 'organization';
  recordId: string | undefined;
  fields: string[];
}

const RECENT_DAYS = 30;
const DAY_MS = 86_400_000;
/** A page costs the same whatever its size. */
const PAGE = 50;

type Read = { records: PipedriveRecord[]; costTokens: number };

/** The named record; or recent ones, in an order that begins at a random one. */
async function readSome(deps: Deps, { recordId, ...wanted }: Wanted): Promise<Read> {
  if (recordId !== undefined) {
    const read = await readPage(deps, { ...wanted, ids: [recordId], limit: 1 });
    if (read.records.length > 0) return read;
    throw new Refusal('not_found', `There is no ${wanted.object} ${recordId}`, {
      ...{ reason: 'record_not_found', field: 'input.recordId' },
      fix: 'Choose one this connection can see, or leave it out.',
    });
  }
  const since = new Date(deps.now().getTime() - RECENT_DAYS * DAY_MS);
  const updatedSince = `${since.toISOString().slice(0, 19)}Z`;
  const recent = await readPage(deps, { ...wanted, updatedSince, limit: PAGE });
  if (recent.records.length > 0) return { ...recent, records: turned(recent.records) };
  const any = await readPage(deps, { ...wanted, limit: PAGE });
  return { records: turned(any.records), costTokens: recent.costTokens + any.costTokens };
}

const turned = (records: readonly PipedriveRecord[]): PipedriveRecord[] => {
  if (records.length === 0) return [];
  const at = randomInt(records.length);
  return [...records.slice(at), ...records.slice(0, at)];
};

async function readPage(
  { nats }: Deps,
  question: Omit<Wanted, 'recordId'> & { ids?: string[]; updatedSince?: string; limit: number },
): Promise<Read> {
  const { items, end } = await askForPage(nats, ReadRecords, { ...question, lane: 'interactive' });
  if (end.outcome === 'page') return { records: items, costTokens: end.costTokens };
  throw new Refusal('limited', `Pipedrive may be read again at ${end.until}`, {
    reason: end.reason === 'burst_limited' ? 'burst_limited' : 'budget_spent',
    fix: 'Ask again then.',
  });
}
