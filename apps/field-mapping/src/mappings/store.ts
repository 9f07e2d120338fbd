import type {
  ConnectionId,
  FieldDefinition,
  FieldMappingId,
  MappingPurpose,
  MappingRow,
  MergePolicy,
  WorkspaceId,
} from '@manifold/contracts';
import { countRows, pageByKeyset } from '@manifold/database';
import type { PageRequest } from '@manifold/subgraph';
import type { Expression, ExpressionBuilder, SqlBool } from 'kysely';
import type { Db, FieldMapping, NewFieldMapping, Tables } from '../store.ts';

export async function insertMapping(tx: Db, mapping: NewFieldMapping): Promise<void> {
  await tx.insertInto('field_mapping').values(mapping).execute();
}

export async function findMapping(
  tx: Db,
  workspaceId: WorkspaceId,
  id: FieldMappingId,
): Promise<FieldMapping | undefined> {
  return tx
    .selectFrom('field_mapping')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('id', '=', id)
    .executeTakeFirst();
}

/** Holds the row until the transaction ends, so that two people saving or publishing take turns. */
export async function lockMapping(
  tx: Db,
  workspaceId: WorkspaceId,
  id: FieldMappingId,
): Promise<FieldMapping | undefined> {
  return tx
    .selectFrom('field_mapping')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
}

export async function setWorkingCopy(
  tx: Db,
  mapping: Pick<FieldMapping, 'workspace_id' | 'id' | 'name' | 'state' | 'updated_at'> & {
    rows: MappingRow[];
    policy: MergePolicy;
    /** Absent: what the rows rest on is as it was. */
    fields?: FieldDefinition[] | undefined;
  },
): Promise<void> {
  await tx
    .updateTable('field_mapping')
    .set({
      name: mapping.name,
      state: mapping.state,
      rows: JSON.stringify(mapping.rows),
      policy: JSON.stringify(mapping.policy),
      updated_at: mapping.updated_at,
      ...(mapping.fields ? { fields: JSON.stringify(mapping.fields) } : {}),
    })
    .where('workspace_id', '=', mapping.workspace_id)
    .where('id', '=', mapping.id)
    .execute();
}

export async function setPublished(
  tx: Db,
  mapping: Pick<FieldMapping, 'workspace_id' | 'id' | 'updated_at'> & {
    version: number;
    fields: FieldDefinition[];
  },
): Promise<void> {
  await tx
    .updateTable('field_mapping')
    .set({
      state: 'PUBLISHED',
      version: mapping.version,
      fields: JSON.stringify(mapping.fields),
      updated_at: mapping.updated_at,
    })
    .where('workspace_id', '=', mapping.workspace_id)
    .where('id', '=', mapping.id)
    .execute();
}

export async function listMappingsByIds(
  tx: Db,
  workspaceId: WorkspaceId,
  ids: readonly FieldMappingId[],
): Promise<FieldMapping[]> {
  return tx
    .selectFrom('field_mapping')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('id', 'in', ids)
    .execute();
}

/** The mappings that use a connection's fields, held until the transaction ends. */
export async function lockMappingsOf(
  tx: Db,
  workspaceId: WorkspaceId,
  connectionId: ConnectionId,
): Promise<FieldMapping[]> {
  return tx
    .selectFrom('field_mapping')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('connection_id', '=', connectionId)
    .orderBy('id')
    .forUpdate()
    .execute();
}

/** Conditions beside each other must all hold; null and undefined say nothing. */
export interface MappingFilter {
  purpose?: MappingPurpose | null;
  connectionId?: ConnectionId | null;
  state?: FieldMapping['state'] | null;
  nameContains?: string | null;
  drifted?: boolean | null;
  and?: MappingFilter[] | null;
  or?: MappingFilter[] | null;
  not?: MappingFilter | null;
}

export interface MappingQuery {
  filter: MappingFilter;
  orderBy: 'created_at' | 'name';
  descending: boolean;
  page: PageRequest;
}

export async function listMappings(
  tx: Db,
  workspaceId: WorkspaceId,
  { filter, orderBy, descending, page }: MappingQuery,
): Promise<FieldMapping[]> {
  const rows = tx
    .selectFrom('field_mapping')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where((where) => matches(where, filter));
  return pageByKeyset(rows, { by: [orderBy, 'id'], descending, page }).execute();
}

export async function countMappings(
  tx: Db,
  workspaceId: WorkspaceId,
  filter: MappingFilter,
): Promise<number> {
  const rows = tx
    .selectFrom('field_mapping')
    .where('workspace_id', '=', workspaceId)
    .where((where) => matches(where, filter));
  return countRows(rows);
}

function matches(
  where: ExpressionBuilder<Tables, 'field_mapping'>,
  filter: MappingFilter,
): Expression<SqlBool> {
  const all: Expression<SqlBool>[] = [];
  if (filter.purpose) all.push(where('purpose', '=', filter.purpose));
  if (filter.connectionId) all.push(where('connection_id', '=', filter.connectionId));
  if (filter.state) all.push(where('state', '=', filter.state));
  if (filter.nameContains) all.push(containsText(where, filter.nameContains));
  if (typeof filter.drifted === 'boolean') {
    const drifted = where.exists(
      where
        .selectFrom('mapping_drift as drift')
        .select('drift.row_id')
        .whereRef('drift.workspace_id', '=', 'field_mapping.workspace_id')
        .whereRef('drift.mapping_id', '=', 'field_mapping.id'),
    );
    all.push(filter.drifted ? drifted : where.not(drifted));
  }
  for (const one of filter.and ?? []) all.push(matches(where, one));
  if (filter.or) all.push(where.or(filter.or.map((one) => matches(where, one))));
  if (filter.not) all.push(where.not(matches(where, filter.not)));
  return where.and(all);
}

const containsText = (where: ExpressionBuilder<Tables, 'field_mapping'>, text: string) =>
  where(
    where.fn<number>('strpos', [where.fn('lower', ['name']), where.val(text.toLowerCase())]),
    '>',
    0,
  );
