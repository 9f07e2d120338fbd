import type { FieldDefinition } from '@manifold/contracts';
import { Refusal } from '@manifold/errors';
import type { Outcome, PipedriveClient } from '@manifold/pipedrive';
import { refusalOf } from '../../accounts/rules.ts';
import { requireKnownFields } from '../codes/rules.ts';
import { type FieldCreationDeps, keepMade, readFields, type WantedField } from './catalogue.ts';
import { type CreationLease, takeLease } from './lease.ts';
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
    const added = await addMissing(deps, client, { ...wanted, field, lease });
    isOpen = added.outcome === 'unknown';
    if (added.outcome !== 'ok') throw refusalOf(added);
    return added.data;
  } finally {
    if (!isOpen) await lease.end();
  }
}

/** The field with every one of these choices, and which of them it did not have. */
export async function addMissing(
  deps: FieldCreationDeps,
  client: PipedriveClient,
  wanted: WantedField & {
    field: FieldDefinition;
    labels: readonly string[];
    lease: CreationLease;
  },
): Promise<Outcome<{ field: FieldDefinition; created: string[] }>> {
  const { field, labels, lease, object } = wanted;
  const created = newLabels(field, labels);
  if (created.length === 0) return { outcome: 'ok', data: { field, created } };
  await lease.renew();
  const added = await client.addFieldOptions(object, field.code, created);
  if (added.outcome !== 'ok') return added;
  const known = new Set((field.options ?? []).map(({ id }) => String(id)));
  const fresh = added.data.filter(({ id }) => !known.has(String(id)));
  const grown = { ...field, options: [...(field.options ?? []), ...fresh] };
  await keepMade(deps, wanted, grown);
  return { outcome: 'ok', data: { field: grown, created } };
}

async function findField(deps: FieldCreationDeps, client: PipedriveClient, wanted: Wanted) {
  const read = await readFields(deps, client, wanted);
  if (read.outcome !== 'ok') throw refusalOf(read);
  return requireChoices(read.data, wanted);
}

function requireChoices(
  fields: readonly FieldDefinition[],
  { object, code }: Pick<Wanted, 'object' | 'code'>,
): FieldDefinition {
  const field = fields.find((known) => known.code === code);
  if (field !== undefined && (field.type === 'enum' || field.type === 'set')) return field;
  const path = 'input.fieldCode';
  if (field === undefined) requireKnownFields(fields, object, [{ code, path }]);
  throw new Refusal('invalid', `The field ${code} has no choices`, {
    reason: 'field_type_mismatch',
    field: path,
    fix: 'Name a field of the type `enum` or `set`.',
  });
}
