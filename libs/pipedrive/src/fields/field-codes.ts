import { type FieldDefinition, FieldType, type PipedriveObject } from '@manifold/contracts';
import { builtInFields } from './built-in-fields.ts';

interface BuiltIn {
  type: FieldType;
  readOnly: boolean;
  everywhere: boolean;
}

const builtIns: Record<PipedriveObject, Map<string, BuiltIn>> = {
  person: read('person'),
  organization: read('organization'),
  deal: read('deal'),
  lead: read('lead'),
  activity: read('activity'),
  note: read('note'),
  product: read('product'),
  user: read('user'),
};

function read(object: PipedriveObject): Map<string, BuiltIn> {
  const entries = Object.entries(builtInFields[object]);
  return new Map(
    entries.map(([code, entry]) => [
      code,
      {
        type: FieldType.parse(entry.replace(/[!?]+$/, '')),
        readOnly: entry.includes('!'),
        everywhere: !entry.endsWith('?'),
      },
    ]),
  );
}

/** Older names of the same fields, in v1 catalogues, v2 catalogues and webhooks. */
const formerCodes: Record<PipedriveObject, Record<string, string>> = {
  person: { email: 'emails', phone: 'phones', label: 'label_ids' },
  organization: { label: 'label_ids' },
  deal: { label: 'label_ids', label_id: 'label_ids' },
  lead: { label: 'label_ids', org_id: 'organization_id', user_id: 'owner_id' },
  activity: { busy_flag: 'busy', user_id: 'owner_id' },
  note: {},
  product: { selectable: 'is_linkable' },
  user: {},
};

/** Times of day without a zone, of an activity: read as `HH:MM:SS`, written as `HH:MM`. */
export const activityTimes: ReadonlySet<string> = new Set(['due_time', 'duration']);

/** Custom fields are known by 40 hexadecimal characters, built-in ones by a word. */
export const isCustomCode = (code: string): boolean =>
  code.length === 40 && /^[0-9a-f]+$/.test(code);

/** Today's code for a built-in field of any API version. */
export const currentCode = (object: PipedriveObject, code: string): string =>
  Object.hasOwn(formerCodes[object], code) ? (formerCodes[object][code] ?? code) : code;

/** The type of a built-in field, or undefined when records do not carry it. */
export function builtInType(object: PipedriveObject, code: string): FieldType | undefined {
  return builtIns[object].get(code)?.type;
}

/** Whether nobody but Pipedrive can set the field. */
export const isReadOnly = (object: PipedriveObject, code: string): boolean =>
  builtIns[object].get(code)?.readOnly ?? false;

/** A catalogue entry for every built-in field all accounts have, named after its code. */
export const listBuiltIns = (object: PipedriveObject): FieldDefinition[] =>
  [...builtIns[object]]
    .filter(([, { everywhere }]) => everywhere)
    .map(([code, { type, readOnly }]) => ({
      object,
      code,
      name: nameOf(code),
      type,
      custom: false,
      readOnly,
    }));

const nameOf = (code: string): string => {
  const words = code.replace(/_id(s?)$/, '$1').replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
};
