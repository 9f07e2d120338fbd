import {
  type ConnectionId,
  type FieldDefinition,
  FieldMappingId,
  type MappingPurpose,
  type MappingRow,
} from '@manifold/contracts';
import { createOnce, newId, withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import type { Origin } from '@manifold/messaging';
import type { NatsConnection } from '@nats-io/transport-node';
import { refreshCatalogue } from '../catalogue/commands.ts';
import { objectsOf, suggestRows } from '../matching/rules.ts';
import type { Db, FieldMapping, Tx } from '../store.ts';
import { findVersion } from '../versions/store.ts';
import { readRows, type SaveInput } from './input.ts';
import { findProblems, isPublishedAs, refusalOf, usualPolicy } from './rules.ts';
import { insertMapping, lockMapping, setWorkingCopy } from './store.ts';

export interface Deps {
  db: Db;
  nats: NatsConnection;
  now: () => Date;
}

export const absent = (id: string): Refusal =>
  new Refusal('not_found', `There is no field mapping ${id}`, {
    reason: 'record_not_found',
    field: 'input.id',
    fix: 'Choose one of the mappings the query fieldMappings lists.',
  });

/** Rows for everything that can be mapped, from the fields as they are now. */
export async function suggestMapping(
  deps: Deps,
  caller: Pick<Origin, 'workspaceId'>,
  wanted: { connectionId: ConnectionId; purpose: MappingPurpose },
): Promise<{ rows: MappingRow[]; catalogue: FieldDefinition[] }> {
  const catalogue = await refreshCatalogue(deps, {
    workspaceId: caller.workspaceId,
    connectionId: wanted.connectionId,
    objects: objectsOf(wanted.purpose),
  });
  return { rows: suggestRows(wanted.purpose, catalogue), catalogue };
}

/** Makes a mapping or changes a working copy; a field Pipedrive does not have is refused. */
export async function saveMapping(
  deps: Deps,
  caller: Origin,
  input: SaveInput,
): Promise<FieldMappingId> {
  const { rows: suggested, catalogue } = await suggestMapping(deps, caller, input);
  const rows = input.rows ? readRows(input.rows, catalogue) : undefined;
  refuseUnknownFields({ ...input, rows: rows ?? [] }, catalogue);
  return withWorkspace(deps.db, caller.workspaceId, async (tx) => {
    const now = deps.now();
    if (input.id)
      return changeMapping(tx, caller, { input: { ...input, id: input.id }, rows, now });
    const make = () => makeMapping(tx, caller, { input, rows: rows ?? suggested, now });
    const { id } = await createOnce(
      tx,
      {
        workspaceId: caller.workspaceId,
        operation: 'saveFieldMapping',
        key: input.idempotencyKey,
        input,
        now,
        parseId: (made) => FieldMappingId.parse(made),
      },
      make,
    );
    return id;
  });
}

function refuseUnknownFields(
  {
    purpose,
    rows,
    policy,
  }: { purpose: MappingPurpose; rows: MappingRow[]; policy?: SaveInput['policy'] },
  catalogue: readonly FieldDefinition[],
): void {
  const working = { purpose, rows, policy: policy ?? usualPolicy(purpose) };
  const unknown = findProblems(working, catalogue).filter(({ code }) => code === 'unknown_field');
  if (unknown.length === 0) return;
  throw refusalOf(unknown, { what: 'The mapping cannot be saved', rows, field: 'input.rows' });
}

async function makeMapping(
  tx: Tx,
  { workspaceId }: Origin,
  { input, rows, now }: { input: SaveInput; rows: MappingRow[]; now: Date },
): Promise<FieldMappingId> {
  const id = newId('fm', FieldMappingId);
  await insertMapping(tx, {
    workspace_id: workspaceId,
    id,
    name: input.name,
    purpose: input.purpose,
    connection_id: input.connectionId,
    state: 'DRAFT',
    version: null,
    rows: JSON.stringify(rows),
    policy: JSON.stringify(input.policy ?? usualPolicy(input.purpose)),
    created_at: now,
    updated_at: now,
  });
  return id;
}

async function changeMapping(
  tx: Tx,
  { workspaceId }: Origin,
  change: {
    input: SaveInput & { id: FieldMappingId };
    rows: MappingRow[] | undefined;
    now: Date;
  },
): Promise<FieldMappingId> {
  const { input, now } = change;
  const mapping = await lockMapping(tx, workspaceId, input.id);
  if (!mapping) throw absent(input.id);
  refuseMove(mapping, input);
  const working = {
    rows: change.rows ?? mapping.rows,
    policy: input.policy ?? mapping.policy,
  };
  const published = await findVersion(tx, workspaceId, { mappingId: mapping.id });
  await setWorkingCopy(tx, {
    ...working,
    workspace_id: workspaceId,
    id: mapping.id,
    name: input.name,
    state: isPublishedAs(working, published?.source) ? 'PUBLISHED' : 'DRAFT',
    updated_at: now,
  });
  return mapping.id;
}

/** Whoever uses a mapping relies on what it is for and whose fields it names. */
function refuseMove(mapping: FieldMapping, input: SaveInput): void {
  const moved =
    mapping.purpose !== input.purpose
      ? 'purpose'
      : mapping.connection_id !== input.connectionId
        ? 'connectionId'
        : undefined;
  if (moved === undefined) return;
  throw new Refusal('conflict', 'A mapping keeps its purpose and its connection', {
    reason: 'invalid_input',
    field: `input.${moved}`,
    fix: 'Make a new mapping instead.',
  });
}
