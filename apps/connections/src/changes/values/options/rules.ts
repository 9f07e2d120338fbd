import type {
  FieldDefinition,
  FieldOption,
  FieldType,
  FieldValue,
  OptionId,
} from '@manifold/contracts';

/** Types whose values are among the field's options. */
const single: readonly FieldType[] = [
  ...(['enum', 'status', 'visible_to', 'billing_frequency', 'price_list'] as const),
  'varchar_options',
];

export const isChoice = ({ type }: FieldDefinition): boolean =>
  type === 'set' || single.includes(type);

export interface WrongChoice {
  reason: 'unknown_option' | 'field_type_mismatch';
  /** What is wrong, after the name of the field. */
  says: string;
  fix: string;
}

/** What is wrong with the choice made for a field; undefined when Pipedrive takes it. */
export function checkChoice(field: FieldDefinition, value: FieldValue): WrongChoice | undefined {
  if (field.type !== 'set') return checkOne(field, value);
  if (!isIdList(value)) {
    return {
      reason: 'field_type_mismatch',
      says: 'takes a list of the ids of its options',
      fix: 'Give a list, also for a single option, for example [12]; null makes the field blank.',
    };
  }
  if (new Set<OptionId>(value).size < value.length) {
    return {
      reason: 'field_type_mismatch',
      says: 'takes each of its options once',
      fix: 'Name every option once.',
    };
  }
  for (const id of value) {
    const wrong = checkOne(field, id);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

const isIdList = (value: FieldValue): value is number[] | string[] =>
  Array.isArray(value) && value.every((id) => typeof id !== 'object');

function checkOne(field: FieldDefinition, value: FieldValue): WrongChoice | undefined {
  if (typeof value !== 'number' && typeof value !== 'string') {
    return {
      reason: 'field_type_mismatch',
      says: 'takes the id of one of its options',
      fix: 'Give a single id that `pipedriveFields` lists among the options of the field.',
    };
  }
  const { options = [] } = field;
  if (options.length === 0) return undefined;
  const sameId = options.find(({ id }) => String(id) === String(value));
  if (sameId === undefined) {
    return {
      reason: 'unknown_option',
      says: 'has no option of this id',
      fix: fixFor(options, String(value)),
    };
  }
  // text for a number is refused where custom fields are written as they are
  if (!field.custom || field.object === 'lead' || sameId.id === value) return undefined;
  return {
    reason: 'field_type_mismatch',
    says: `takes the id of an option as ${typeof sameId.id === 'number' ? 'a number' : 'text'}`,
    fix: `Give ${JSON.stringify(sameId.id)}.`,
  };
}

const MOST_NAMED = 10;
const fold = (label: string): string => label.trim().toLowerCase();

/** Labels are the catalogue's own; what was given is not repeated. */
function fixFor(options: readonly FieldOption[], given: string): string {
  const called = options.filter(({ label }) => fold(label) === fold(given));
  const [one, another] = called;
  if (one !== undefined && another === undefined) {
    return `This is the label of an option: give its id, ${JSON.stringify(one.id)}.`;
  }
  if (another !== undefined) {
    return `${called.length} options have this label: give the id of one, ${listed(called)}.`;
  }
  return `Give one of ${listed(options)}, or refresh the fields of the connection if the option is new.`;
}

function listed(options: readonly FieldOption[]): string {
  const shown = options
    .slice(0, MOST_NAMED)
    .map(({ id, label }) => `${JSON.stringify(id)} (${label.slice(0, 60)})`)
    .join(', ');
  const more = options.length - MOST_NAMED;
  return more > 0 ? `${shown} and ${more} more` : shown;
}
