import {
  ConnectionId,
  type FieldDefinition,
  FieldMappingId,
  MappingPurpose,
  MappingRow,
  type MergePolicy,
  referralFields,
  TargetKey,
  type VariableType,
} from '@manifold/contracts';
import { isValueOf } from '@manifold/mapping';
import { boundedText, IdempotencyKey } from '@manifold/subgraph';
import { z } from 'zod';
import { typeOfPart } from '../matching/fields/rules.ts';

/** The graph writes enum values in capitals, mappings in small letters. */
const small = z
  .string()
  .nullish()
  .transform((text) => text?.toLowerCase());

const MAX_TEXT = 10_000;
const text = boundedText(MAX_TEXT);

export const Value = z
  .object({
    text: text.nullish(),
    number: z.number().nullish(),
    boolean: z.boolean().nullish(),
    options: z.array(text).max(500).nullish(),
    money: z
      .object({ amount: z.coerce.number(), currency: z.string().regex(/^[A-Za-z]{3}$/) })
      .nullish(),
    range: z.object({ start: text.nullish(), end: text.nullish() }).nullish(),
  })
  .transform((forms, context) => {
    const given = Object.values(forms).filter((form) => form !== undefined && form !== null);
    if (given.length !== 1) context.addIssue('exactly one form of the value is needed');
    if (forms.range) {
      return { start: forms.range.start ?? null, end: forms.range.end ?? null };
    }
    return forms.money ?? forms.options ?? forms.boolean ?? forms.number ?? forms.text ?? null;
  });
type Value = z.output<typeof Value>;

export const Row = z.object({
  id: boundedText(100).nullish(),
  source: z.object({
    object: z.string(),
    field: z.string().nullish(),
    part: small,
    type: small,
    value: Value.nullish(),
  }),
  target: z.object({ object: z.string(), field: z.string(), part: small, type: small }),
  default: Value.nullish(),
  required: z.boolean().nullish(),
  createOnly: z.boolean().nullish(),
});
type Row = z.output<typeof Row>;

const existingRules = { APPEND: 'append', OVERWRITE: 'overwrite', IGNORE: 'ignore' } as const;

export const Policy = z
  .object({
    existing: z.enum(['APPEND', 'OVERWRITE', 'IGNORE']),
    createMissing: z.boolean().nullish(),
    ignoreEmpty: z.boolean(),
    protected: z.array(TargetKey).max(1000).nullish(),
    protectFilled: z.boolean().nullish(),
  })
  .transform(
    (policy): MergePolicy => ({
      existing: existingRules[policy.existing],
      createMissing: policy.createMissing ?? true,
      ignoreEmpty: policy.ignoreEmpty,
      protected: policy.protected ?? [],
      protectFilled: policy.protectFilled ?? false,
    }),
  );

const SaveInput = z.object({
  id: FieldMappingId.nullish(),
  name: boundedText(200).trim().min(1),
  purpose: MappingPurpose,
  connectionId: ConnectionId,
  rows: z.array(Row).max(1000).nullish(),
  policy: Policy.nullish(),
  idempotencyKey: IdempotencyKey,
});
export type SaveInput = z.output<typeof SaveInput>;

/** What `saveFieldMapping` takes; its rows are understood once the fields are known, see `readRows`. */
export const SaveArguments = z.object({ input: SaveInput });

export const SuggestArguments = z.object({ connectionId: ConnectionId, purpose: MappingPurpose });

const Rows = z.object({ input: z.object({ rows: z.array(MappingRow) }) });

/** Rows as they are kept: types left out are filled in, every shape is checked, all issues at once. */
export function readRows(
  rows: NonNullable<SaveInput['rows']>,
  catalogue: readonly FieldDefinition[],
): MappingRow[] {
  const input = { rows: rows.map((row) => readRow(row, catalogue)) };
  return Rows.parse({ input }).input.rows;
}

function readRow(row: Row, catalogue: readonly FieldDefinition[]): unknown {
  const object = row.source.object.toLowerCase();
  const { target } = row;
  const source = { ...row.source, object, type: sourceTypeOf(row, catalogue) };
  const targetObject = target.object.toLowerCase();
  const ours = targetObject === 'contact' || targetObject === 'account';
  return withoutNulls({
    ...row,
    id: row.id ?? [targetObject, target.field, target.part ?? []].flat().join('.'),
    // an empty constant is a value: known to be empty
    source:
      object === 'constant' ? { ...source, value: source.value ?? null } : withoutNulls(source),
    target: withoutNulls({
      ...target,
      object: targetObject,
      type: ours ? (target.type ?? source.type) : undefined,
    }),
  });
}

/** What the source holds, known by its field or value; what people type into a form is text. */
function sourceTypeOf({ source }: Row, catalogue: readonly FieldDefinition[]): string {
  const object = source.object.toLowerCase();
  if (object === 'constant') return source.type ?? typeOf(source.value ?? null);
  if (object === 'referral') {
    const known = Object.entries(referralFields).find(([code]) => code === source.field);
    return known?.[1].type ?? 'text';
  }
  const field = catalogue.find((one) => one.object === object && one.code === source.field);
  return field === undefined ? 'text' : typeOfPart(field, source.part);
}

function typeOf(value: Value): VariableType {
  if (typeof value === 'number') return 'number';
  if (typeof value === 'boolean') return 'boolean';
  if (Array.isArray(value)) return 'multiple_options';
  if (value === null || typeof value === 'string') return 'text';
  if ('amount' in value) return 'money';
  return isValueOf('time_range', value) ? 'time_range' : 'date_range';
}

/** GraphQL's null for "left out" becomes absence. */
const withoutNulls = (shape: object): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(shape).filter(([, value]) => value !== null && value !== undefined),
  );
