import type {
  FieldDefinition,
  LossReason,
  MappingProblemCode,
  VariableType,
} from '@manifold/contracts';

/** What keeps a row from working, and the way out. */
export interface Obstacle {
  code: MappingProblemCode;
  cause: string;
  fix: string;
}

/** The row goes the other way than its mapping. */
export const wrongDirection = (from: string, to: string): Obstacle => ({
  code: 'wrong_direction',
  cause: `A row from ${from} to ${to} does not belong to this mapping.`,
  fix: 'Remove the row, or add it to the mapping of the other direction.',
});

export const noConversion = (from: VariableType, to: VariableType | 'permission'): Obstacle => ({
  code: 'field_type_mismatch',
  cause: `A value of type ${from} cannot become ${to}.`,
  fix: `Choose a target for ${from}, or a part of the source where it has parts.`,
});

export const readOnly = (field: FieldDefinition): Obstacle => ({
  code: 'read_only_field',
  cause: `${field.name} is computed by Pipedrive and cannot be written.`,
  fix: 'Choose a field that can be written.',
});

export const unknownField = (object: string, field: string): Obstacle => ({
  code: 'unknown_field',
  cause: `Pipedrive has no field ${field} on ${object}.`,
  fix: 'Refresh the fields; if it is gone, choose another one.',
});

export const noPart = (field: FieldDefinition, part: string | undefined): Obstacle =>
  part === undefined
    ? {
        code: 'field_type_mismatch',
        cause: `${field.name} is of type ${field.type}, which cannot be mapped.`,
        fix: 'Choose another field.',
      }
    : {
        code: 'unknown_part',
        cause: `${field.name} has no part ${part}.`,
        fix: 'Choose the whole field or one of its parts.',
      };

export const noJoin = (type: string, part: string): Obstacle => ({
  code: 'unknown_part',
  cause: `A value of type ${type} is not put together from a part ${part}.`,
  fix: 'Choose the whole target or one of its parts.',
});

/** What is wrong with a value; anything else is said of its shape. */
const faults: Partial<Record<LossReason, string>> = {
  not_a_number: 'it is not a number',
  not_a_boolean: 'it is neither true nor false',
  not_a_date: 'it is not a date',
  not_a_time: 'it is not a time',
  not_an_email: 'it is not an e-mail address',
  not_a_phone: 'it is not a phone number',
  not_a_currency: 'its currency is no code of three letters',
  not_a_reference: 'it is not the id of a record',
  option_unknown: 'the field has no such option',
  option_ambiguous: 'the field has several options of this name',
  currency_missing: 'the currency is missing',
  amount_missing: 'the amount is missing',
};

export const badFixedValue = (what: string, reason: LossReason): Obstacle => ({
  code: reason.startsWith('option_') ? 'unknown_option' : 'fixed_value_invalid',
  cause: `${what} does not fit the target: ${faults[reason] ?? 'it is of another shape'}.`,
  fix: 'Change the value, or choose another target.',
});
