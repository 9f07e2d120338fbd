import type {
  FieldDefinition,
  FieldValue,
  PipedriveObject,
  ReasonCode,
  WriteStep,
} from '@manifold/contracts';
import { checkChoice, isChoice } from './options/rules.ts';
import { isName, mostCharacters, shapeOf } from './shapes/rules.ts';

/** Why Pipedrive would refuse a value. Says which field and what it takes, never what was given. */
export interface Misfit {
  code: string;
  reason: Extract<ReasonCode, 'unknown_field' | 'unknown_option' | 'field_type_mismatch'>;
  cause: string;
  fix: string;
}

/** Values of a step, by code. */
interface Values {
  fields: Readonly<Record<string, FieldValue>>;
  createOnlyFields: Readonly<Record<string, FieldValue>>;
}

/** The first value of a step that Pipedrive must refuse, as far as the catalogue tells. */
export function findMisfit(
  step: Values & Pick<WriteStep, 'existing'>,
  catalogue: ReadonlyMap<string, FieldDefinition>,
): Misfit | undefined {
  for (const part of ['fields', 'createOnlyFields'] as const) {
    for (const [code, value] of Object.entries(step[part])) {
      const field = catalogue.get(code);
      // blanks are left out of a new record, and fill nothing
      const mayBeBlank = part === 'createOnlyFields' || step.existing === 'fill_blanks';
      const misfit =
        field === undefined ? unknownField(code) : checkValue(field, value, { mayBeBlank });
      if (misfit !== undefined) return misfit;
    }
  }
  return undefined;
}

/** What is wrong with a value for a field; undefined when Pipedrive takes it, or nobody can tell. */
export function checkValue(
  field: FieldDefinition,
  value: FieldValue,
  { mayBeBlank }: { mayBeBlank: boolean },
): Misfit | undefined {
  if (value === null || value === '') {
    if (mayBeBlank || !isName(field)) return undefined;
    return mismatch(field, 'cannot be blank', 'Give a text, or leave the field out.');
  }
  if (isChoice(field)) {
    const wrong = checkChoice(field, value);
    return wrong && { ...mismatch(field, wrong.says, wrong.fix), reason: wrong.reason };
  }
  const shape = shapeOf(field);
  if (shape === undefined) return undefined;
  if (!shape.fits(value, field)) return mismatch(field, `takes ${shape.takes}`, shape.give);
  if (typeof value !== 'string' || value.length <= mostCharacters(field)) return undefined;
  return mismatch(
    field,
    `takes at most ${mostCharacters(field)} characters`,
    `Shorten the text, or use a field that takes longer ones.`,
  );
}

const mismatch = (field: FieldDefinition, says: string, fix: string): Misfit => ({
  code: field.code,
  reason: 'field_type_mismatch',
  cause: `The field ${nameOf(field)} ${says}.`,
  fix,
});

/** Names are not unique, and the name of a built-in field is its code. */
const nameOf = ({ name, code }: FieldDefinition): string =>
  name === code ? code : `${name.slice(0, 100)} (${code})`;

const unknownField = (code: string): Misfit => ({
  code,
  reason: 'unknown_field',
  cause: `Pipedrive has no field ${code} any more.`,
  fix: 'Refresh the fields of the connection, or leave the field out.',
});

/** What Pipedrive makes no record without: of each list one field, at least. */
const needed: Partial<Record<PipedriveObject, readonly (readonly string[])[]>> = {
  person: [['name', 'first_name', 'last_name']],
  organization: [['name']],
  product: [['name']],
  deal: [['title']],
  lead: [['title'], ['person_id', 'organization_id']],
  note: [['content'], ['lead_id', 'deal_id', 'person_id', 'org_id', 'project_id']],
};

/** Why Pipedrive would refuse to make a record of these fields; undefined when it would not. */
export function findMissing(
  object: PipedriveObject,
  codes: readonly string[],
): { reason: 'required_target_missing'; cause: string; fix: string } | undefined {
  const missing = needed[object]?.find((some) => !some.some((code) => codes.includes(code)));
  if (missing === undefined) return undefined;
  const fields = missing.length === 1 ? `the field ${missing[0]}` : `one of ${missing.join(', ')}`;
  return {
    reason: 'required_target_missing',
    cause: `There is no such record, and a new ${object} needs ${fields}.`,
    fix: `Give ${fields}, or use the operation UPDATE if no record is to be made.`,
  };
}
