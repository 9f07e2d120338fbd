import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  KeptReason,
  MappingLoss,
  MappingProblemCode,
  MappingSource,
  Permission,
  PermissionChannel,
  TargetKey,
  VariableValue,
} from '@manifold/contracts';
import { z } from 'zod';

const fields = z.record(z.string(), z.unknown());

/** A record in the form the engine takes, or as one of Pipedrive's interfaces gives it. */
const Input = z.union([
  z.strictObject({
    object: z.enum(['person', 'organization', 'lead', 'deal', 'referral']),
    fields,
  }),
  z.strictObject({
    object: z.enum(['person', 'lead', 'deal']),
    form: z.enum(['rest_v2', 'rest_v1', 'webhook']),
    received: fields,
  }),
]);

const Calculated = z.discriminatedUnion('outcome', [
  z.strictObject({ outcome: z.literal('value'), value: z.unknown() }),
  z.strictObject({ outcome: z.literal('error') }),
]);

const values = z.record(z.string(), fields);

const Output = z.strictObject({
  values,
  createOnlyValues: values,
  losses: z.array(MappingLoss),
  missing: z.array(TargetKey),
  problems: z.array(z.strictObject({ rowId: z.string().nullable(), code: MappingProblemCode })),
});

const kept = z.array(z.looseObject({ reason: KeptReason }));

const Merge = z.strictObject({
  object: z.enum(['contact', 'account']),
  existing: z.record(z.string(), VariableValue).nullable(),
  result: z.looseObject({ kept }),
});

const permissions = z.partialRecord(PermissionChannel, Permission);

/** One mapping, what it is given, and everything that comes out of it. */
export const Fixture = z.strictObject({
  rule: z.string(),
  mapping: MappingSource,
  input: Input,
  calculated: z.record(z.string(), Calculated).optional(),
  /** Targets the mapping has to fill. */
  required: z.array(z.strictObject({ target: z.string(), name: z.string() })).optional(),
  output: Output,
  /** What becomes of records of ours. */
  merges: z.array(Merge).optional(),
  permissions: z
    .array(
      z.strictObject({
        existing: permissions.nullable(),
        marketingStatus: z.string().optional(),
        defaults: permissions.optional(),
        result: z.looseObject({ kept }),
      }),
    )
    .optional(),
  /** What is asked to be written to Pipedrive. */
  writes: z
    .array(
      z.strictObject({
        object: z.enum(['person', 'organization', 'lead', 'deal']),
        existing: z.enum(['update', 'fill_blanks', 'leave']),
        fields,
        /** The request body that comes of it. */
        body: fields.optional(),
      }),
    )
    .optional(),
});
export type Fixture = z.infer<typeof Fixture>;

const FOLDER = join(import.meta.dirname, '../../fixtures');

/** All of them, from every room. */
export const fixtures: (Fixture & { file: string })[] = readdirSync(FOLDER, { recursive: true })
  .map(String)
  .filter((file) => file.endsWith('.json'))
  .toSorted()
  .map((file) => {
    const text = readFileSync(join(FOLDER, file), 'utf8');
    const parsed = Fixture.safeParse(JSON.parse(text));
    if (!parsed.success) throw new Error(`${file}: ${z.prettifyError(parsed.error)}`);
    return { file, ...parsed.data };
  });
