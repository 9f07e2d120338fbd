import { z } from 'zod';
import { TargetKey, VariableValue } from './mappings.ts';
import { FieldValue } from './pipedrive-records.ts';

/** Why a row cannot be used. The other rows of the mapping work without it. */
export const MappingProblemCode = z.enum([
  'unknown_field',
  'unknown_part',
  'unknown_option',
  'read_only_field',
  'field_type_mismatch',
  'fixed_value_invalid',
  'wrong_direction',
  'target_twice',
  'row_twice',
  'required_target_missing',
]);
export type MappingProblemCode = z.infer<typeof MappingProblemCode>;

export const MappingProblem = z.object({
  /** Null when the problem is a row that is not there. */
  rowId: z.string().nullable(),
  code: MappingProblemCode,
  target: TargetKey,
  cause: z.string(),
  fix: z.string(),
});
export type MappingProblem = z.infer<typeof MappingProblem>;

/** What did not survive a conversion. */
export const LossReason = z.enum([
  'shape_unexpected',
  'not_a_number',
  'not_a_boolean',
  'not_a_date',
  'not_a_time',
  'not_an_email',
  'not_a_phone',
  'not_a_currency',
  'not_a_reference',
  'permission_unclear',
  'calculation_failed',
  'option_unknown',
  'option_ambiguous',
  'text_truncated',
  'rounded',
  'extra_values_dropped',
  'currency_dropped',
  'currency_missing',
  'amount_missing',
  'time_dropped',
  'timezone_dropped',
  'range_end_dropped',
]);
export type LossReason = z.infer<typeof LossReason>;

export const MappingLoss = z.object({
  rowId: z.string(),
  reason: LossReason,
  /** False: a reduced value was produced. True: none was, and the target stays as it is. */
  withheld: z.boolean(),
});
export type MappingLoss = z.infer<typeof MappingLoss>;

/** Why a value that came through did not get in, in the order the rules are asked. */
export const KeptReason = z.enum([
  'field_protected',
  'field_filled',
  'empty_ignored',
  'existing_ignored',
  'permission_stated',
]);
export type KeptReason = z.infer<typeof KeptReason>;

/** A mapped value: a variable's value, or a field's value in Pipedrive's form. */
export const MappedValue = z.union([VariableValue, FieldValue]);
export type MappedValue = z.infer<typeof MappedValue>;
