import {
  type ConnectionId,
  FieldDefinition,
  type PipedriveObject,
  type WorkspaceId,
} from '@manifold/contracts';
import { ofThisWorkspace } from '@manifold/database';
import { z } from 'zod';
import type { Db } from '../store.ts';
import type { FieldCatalogueTable } from './tables.ts';

/** The catalogue of one object; undefined before it was read for the first time. */
export interface Catalogue {
  revision: number;
  read_at: Date;
  asked_at: Date;
  is_stale: boolean;
  fields: readonly FieldDefinition[];
}

const definitions = z.array(FieldDefinition);
const REMEMBERED = 50;
const read = new Map<string, readonly FieldDefinition[]>();

/** The same text is read with every write and every delivery, and may hold hundreds of fields. */
function readDefinitions(text: string): readonly FieldDefinition[] {
  const known = read.get(text);
  if (known !== undefined) return known;
  if (read.size >= REMEMBERED) read.clear();
  const fields = definitions.parse(JSON.parse(text));
  read.set(text, fields);
  return fields;
}

export async function findCatalogue(
  tx: Db,
  connectionId: ConnectionId,
  object: PipedriveObject,
): Promise<Catalogue | undefined> {
  const row = await tx
    .selectFrom('field_catalogue')
    .select(['revision', 'read_at', 'asked_at', 'is_stale', 'definitions'])
    .where(ofThisWorkspace)
    .where('connection_id', '=', connectionId)
    .where('object', '=', object)
    .executeTakeFirst();
  return row && toCatalogue(row);
}

/** All catalogues of a connection by object. */
export async function findCatalogues(
  tx: Db,
  connectionId: ConnectionId,
): Promise<ReadonlyMap<PipedriveObject, Catalogue>> {
  const rows = await tx
    .selectFrom('field_catalogue')
    .select(['object', 'revision', 'read_at', 'asked_at', 'is_stale', 'definitions'])
    .where(ofThisWorkspace)
    .where('connection_id', '=', connectionId)
    .execute();
  return new Map(rows.map((row) => [row.object, toCatalogue(row)]));
}

const toCatalogue = ({
  definitions: text,
  ...row
}: Omit<FieldCatalogueTable, 'workspace_id' | 'connection_id' | 'object'>): Catalogue => ({
  revision: row.revision,
  read_at: row.read_at,
  asked_at: row.asked_at,
  is_stale: row.is_stale,
  fields: readDefinitions(text),
});

/** The fields of one object as last read; empty before they were read for the first time. */
export async function findFields(
  tx: Db,
  connectionId: ConnectionId,
  object: PipedriveObject,
): Promise<readonly FieldDefinition[]> {
  return (await findCatalogue(tx, connectionId, object))?.fields ?? [];
}

/** Which catalogues a connection has, and whether they should be read again. */
export async function listCatalogueAges(tx: Db, connectionId: ConnectionId) {
  return tx
    .selectFrom('field_catalogue')
    .select(['object', 'read_at', 'is_stale'])
    .where(ofThisWorkspace)
    .where('connection_id', '=', connectionId)
    .execute();
}

export async function setCatalogue(
  tx: Db,
  catalogue: {
    workspaceId: WorkspaceId;
    connectionId: ConnectionId;
    object: PipedriveObject;
    revision: number;
    fields: readonly FieldDefinition[];
    readAt: Date;
    askedAt: Date;
  },
): Promise<void> {
  const row = {
    revision: catalogue.revision,
    definitions: JSON.stringify(catalogue.fields),
    read_at: catalogue.readAt,
    asked_at: catalogue.askedAt,
    is_stale: false,
  };
  await tx
    .insertInto('field_catalogue')
    .values({
      workspace_id: catalogue.workspaceId,
      connection_id: catalogue.connectionId,
      object: catalogue.object,
      ...row,
    })
    .onConflict((conflict) =>
      conflict.columns(['workspace_id', 'connection_id', 'object']).doUpdateSet(row),
    )
    .execute();
}

/** Notes that a record named a field the catalogue does not have; false when that was known. */
export async function markCatalogueStale(
  tx: Db,
  connectionId: ConnectionId,
  object: PipedriveObject,
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('field_catalogue')
    .set({ is_stale: true })
    .where(ofThisWorkspace)
    .where('connection_id', '=', connectionId)
    .where('object', '=', object)
    .where('is_stale', '=', false)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

export async function removeCatalogues(tx: Db, connectionId: ConnectionId): Promise<void> {
  await tx
    .deleteFrom('field_catalogue')
    .where(ofThisWorkspace)
    .where('connection_id', '=', connectionId)
    .execute();
}
