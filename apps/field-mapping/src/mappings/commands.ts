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
import { refreshCatalogue } from '../catalogue/commands.ts';
import { readPastChoices } from '../matching/commands.ts';
import { preferPast } from '../matching/past/rules.ts';
import { objectsOf, suggestRows } from '../matching/rules.ts';
import type { PastChoice } from '../matching/candidates/rules.ts';
import { noteDrift } from '../drift/commands.ts';
import type { FieldMapping, Tx } from '../store.ts';
import { isPublishedAs } from '../versions/rules.ts';
import { findVersion } from '../versions/store.ts';
import { absent, type Deps } from './deps.ts';
import { readRows, type SaveInput } from './input.ts';
import { excerptCatalogue } from '@manifold/mapping';
import { findProblems, refusalOf, usualPolicy } from './rules.ts';
import { insertMapping, lockMapping, setWorkingCopy } from './store.ts';

/** Rows for everything that can be mapped, from the fields as they are now. */
export async function suggestMapping(
  deps: Deps,
  caller: Pick<Origin, 'workspaceId'>,
  wanted: { connectionId: ConnectionId; purpose: MappingPurpose },
): Promise<{ rows: MappingRow[]; catalogue: FieldDefinition[]; past: PastChoice[] }> {
  const catalogue = await refreshCatalogue(deps, {
    workspaceId: caller.workspaceId,
    connectionId: wanted.connectionId,
    objects: objectsOf(wanted.purpose),
  });
  const past = await withWorkspace(deps.db, caller.workspaceId, (tx) =>
    readPastChoices(tx, caller.workspaceId, wanted.purpose),
  );
  const rows = preferPast(suggestRows(wanted.purpose, catalogue), { ...wanted, catalogue, past });
  return { rows, catalogue, past };
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
      return changeMapping(tx, caller, { input: { ...input, id: input.id }, rows, catalogue, now });
    const make = () => makeMapping(tx, caller, { input, rows: rows ?? suggested, catalogue, now });
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
  {
    input,
    rows,
    catalogue,
    now,
  }: { input: SaveInput; rows: MappingRow[]; catalogue: FieldDefinition[]; now: Date },
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
    fields: JSON.stringify(excerptCatalogue(rows, catalogue)),
    created_at: now,
    updated_at: now,
  });
  return id;
}

async function changeMapping(
  tx: Tx,
  caller: Origin,
  change: {
    input: SaveInput & { id: FieldMappingId };
    rows: MappingRow[] | undefined;
    catalogue: FieldDefinition[];
    now: Date;
  },
): Promise<FieldMappingId> {
  const { workspaceId } = caller;
  const { input, now } = change;
  const mapping = await lockMapping(tx, workspaceId, input.id);
  if (!mapping) throw absent(input.id);
  refuseMove(mapping, input);
  const working = {
    rows: change.rows ?? mapping.rows,
    policy: input.policy ?? mapping.policy,
  };
  const published = await findVersion(tx, workspaceId, { mappingId: mapping.id });
  const changed = {
    ...working,
    name: input.name,
    state: isPublishedAs(working, published?.source) ? ('PUBLISHED' as const) : ('DRAFT' as const),
    fields: change.rows ? excerptCatalogue(change.rows, change.catalogue) : mapping.fields,
    updated_at: now,
  };
  await setWorkingCopy(tx, { workspace_id: workspaceId, id: mapping.id, ...changed });
  await noteDrift(tx, caller, { mappings: [{ ...mapping, ...changed }], now });
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
