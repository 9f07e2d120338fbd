import {
  FieldDefinition,
  type FieldOption,
  FieldType,
  type PipedriveObject,
} from '@manifold/contracts';
import { z } from 'zod';
import {
  builtInType,
  currentCode,
  isCustomCode,
  isReadOnly,
  listBuiltIns,
} from '../fields/field-codes.ts';

const option = z.looseObject({ id: z.union([z.number(), z.string()]), label: z.string() });

const rawField = z.object({
  field_code: z.string().optional(),
  field_name: z.string().optional(),
  is_custom_field: z.boolean().optional(),
  key: z.string().optional(),
  name: z.string().optional(),
  edit_flag: z.boolean().optional(),
  is_subfield: z.union([z.boolean(), z.number()]).nullish(),
  field_type: z.string(),
  options: z.array(option).nullish().catch(null),
  subfields: z
    .array(z.looseObject({ field_code: z.string() }))
    .nullish()
    .catch(null),
});

/** A catalogue entry of v2 or v1, or undefined for parts of a field and for fields records do not carry. */
export function normaliseField(object: PipedriveObject, raw: unknown): FieldDefinition | undefined {
  const field = rawField.safeParse(raw);
  if (!field.success || field.data.is_subfield) return undefined;
  const { field_code, key, field_name, name, is_custom_field, edit_flag, ...rest } = field.data;
  // v1 calls some built-in fields of notes editable
  const custom = is_custom_field ?? (edit_flag === true && isCustomCode(key ?? ''));
  const code = custom ? (field_code ?? key ?? '') : currentCode(object, field_code ?? key ?? '');
  const known = custom ? undefined : builtInType(object, code);
  if (!custom && known === undefined) return undefined;
  const said = FieldType.safeParse(rest.field_type);
  const definition = FieldDefinition.safeParse({
    object,
    code,
    name: field_name ?? name ?? code,
    type: known ?? (said.success ? said.data : 'unknown'),
    custom,
    readOnly: !custom && isReadOnly(object, code),
    ...(rest.options?.length ? { options: rest.options.map(toOption) } : {}),
    ...(rest.subfields?.length ? { subfields: rest.subfields.map((part) => part.field_code) } : {}),
  });
  return definition.success ? definition.data : undefined;
}

/** A catalogue with one entry per code, and the built-in fields Pipedrive's list leaves out. */
export function completeCatalogue(
  object: PipedriveObject,
  fields: readonly FieldDefinition[],
): FieldDefinition[] {
  const byCode = new Map(listBuiltIns(object).map((field) => [field.code, field]));
  for (const field of fields) byCode.set(field.code, field);
  return [...byCode.values()];
}

const toOption = ({ id, label }: FieldOption): FieldOption => ({
  id: typeof id === 'string' && /^\d{1,15}$/.test(id) ? Number(id) : id,
  label,
});
