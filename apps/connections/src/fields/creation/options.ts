import type { FieldDefinition } from '@manifold/contracts';
import { Refusal } from '@manifold/errors';
import type { PipedriveClient } from '@manifold/pipedrive';
import { refusalOf } from '../../accounts/rules.ts';
import { type FieldCreationDeps, keepMade, readFields, type WantedField } from './catalogue.ts';
import { takeLease } from './lease.ts';
import { newLabels } from './rules.ts';

type Wanted = WantedField & { code: string; labels: readonly string[] };

/** Adds the choices a field does not have yet; asked twice at once, each is added once. */
export async function createFieldOptions(
  deps: FieldCreationDeps,
  client: PipedriveClient,
  wanted: Wanted,
): Promise<{ field: FieldDefinition; created: string[] }> {
  const lease = await takeLease(deps, wanted.connection);
  let isOpen = false;
  try {
    const field = await findField(deps, client, wanted);
    const created = newLabels(field, wanted.labels);
    if (created.length === 0) return { field, created };
    await lease.renew();
    const added = await client.addFieldOptions(wanted.object, wanted.code, created);
    isOpen = added.outcome === 'unknown';
    if (added.outcome !== 'ok') throw refusalOf(added);
    const known = new Set((field.options ?? []).map(({ id }) => String(id)));
    const fresh = added.data.filter(({ id }) => !known.has(String(id)));
    const grown = { ...field, options: [...(field.options ?? []), ...fresh] };
    await keepMade(deps, wanted, grown);
    return { field: grown, created };
  } finally {
    if (!isOpen) await lease.end();
  }
}

async function findField(deps: FieldCreationDeps, client: PipedriveClient, wanted: Wanted) {
  const read = await readFields(deps, client, wanted);
  if (read.outcome !== 'ok') throw refusalOf(read);
  return requireChoices(read.data, wanted.code);
}

function requireChoices(fields: readonly FieldDefinition[], code: string): FieldDefinition {
  const field = fields.find((known) => known.code === code);
  if (field !== undefined && (field.type === 'enum' || field.type === 'set')) return field;
  const isThere = field !== undefined;
  throw new Refusal(isThere ? 'invalid' : 'not_found', `The field ${code} has no choices`, {
    reason: isThere ? 'field_type_mismatch' : 'unknown_field',
    field: 'input.fieldCode',
    fix: 'Name a field of the type `enum` or `set`.',
  });
}
