import {
  type FieldDefinition,
  type MappingPart,
  type MappingPurpose,
  type MappingRow,
  type PipedriveObject,
  referralFields,
  type VariableType,
} from '@manifold/contracts';
import { variableTypeOf } from '@manifold/mapping';

/** The objects whose fields a mapping of this purpose may use (RF-09). */
export function objectsOf(purpose: MappingPurpose): readonly PipedriveObject[] {
  switch (purpose) {
    case 'CONTACTS_FROM_PIPEDRIVE':
      return ['person', 'organization'];
    case 'REFERRALS_TO_PIPEDRIVE':
      return ['person', 'lead'];
  }
}

/** A row for everything that can be mapped without a person's choice. */
export function suggestRows(
  purpose: MappingPurpose,
  catalogue: readonly FieldDefinition[],
): MappingRow[] {
  switch (purpose) {
    case 'CONTACTS_FROM_PIPEDRIVE':
      return [
        ...suggestVariables(catalogue, 'person', 'contact'),
        ...suggestVariables(catalogue, 'organization', 'account'),
      ];
    case 'REFERRALS_TO_PIPEDRIVE':
      return [...requiredReferralRows, ...suggestReferralFields(catalogue)];
  }
}

/** Standard fields that say how Pipedrive handles a record, not what is known of somebody. */
const HOUSEKEEPING = new Set(['visible_to', 'picture_id', 'origin_id', 'channel', 'channel_id']);

function suggestVariables(
  catalogue: readonly FieldDefinition[],
  from: 'person' | 'organization',
  to: 'contact' | 'account',
): MappingRow[] {
  const taken = new Set<string>();
  const fields = catalogue.filter(
    ({ object, code, custom, readOnly }) =>
      object === from && (custom || (!readOnly && !HOUSEKEEPING.has(code))),
  );
  // standard fields first, so that a custom field never takes the key of one
  const ordered = fields.toSorted((one, other) => Number(one.custom) - Number(other.custom));
  return ordered.flatMap((field) =>
    variablesOf(field).map(({ key, type, part }) => {
      const free = freeKey(key, field, taken);
      taken.add(free);
      return {
        id: `${to}.${free}`,
        source: { object: from, field: field.code, ...(part ? { part } : {}) },
        target: { object: to, field: free, type },
      };
    }),
  );
}

/** The list of a person's addresses also gives the one to write to. */
function variablesOf(
  field: FieldDefinition,
): { key: string; type: VariableType; part?: MappingPart }[] {
  const type = variableTypeOf(field);
  if (type === undefined) return [];
  const key = field.custom ? keyOfName(field.name) : field.code;
  if (type === 'email_list') {
    return [
      { key: 'email', type: 'email', part: 'primary' },
      { key, type },
    ];
  }
  if (type === 'phone_list') {
    return [
      { key: 'phone', type: 'phone', part: 'primary' },
      { key, type },
    ];
  }
  return [{ key, type }];
}

const MAX_KEY = 48;

/** `Annual budget (€)` → `annual_budget`; empty when nothing of a name can stand in a key. */
export const keyOfName = (name: string): string =>
  name
    .normalize('NFKD')
    .replaceAll(/\p{Mark}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .slice(0, MAX_KEY)
    .replaceAll(/^_+|_+$/g, '');

/** Names repeat in Pipedrive, codes do not. */
function freeKey(key: string, field: FieldDefinition, taken: ReadonlySet<string>): string {
  const prefix = key === '' ? 'field' : key;
  if (key !== '' && !taken.has(key)) return key;
  const short = `${prefix}_${field.code.slice(0, 6)}`;
  return taken.has(short) ? field.code : short;
}

/** RF-12, RF-13, RF-14; the campaign's name is what Pipedrive's users recognise a lead by (RF-16). */
const requiredReferralRows: MappingRow[] = [
  {
    id: 'person.name',
    source: { object: 'referral', field: 'first_name', type: 'text' },
    target: { object: 'person', field: 'name' },
    required: true,
  },
  {
    id: 'person.emails',
    source: { object: 'referral', field: 'email', type: 'email' },
    target: { object: 'person', field: 'emails' },
    required: true,
  },
  {
    id: 'lead.title',
    source: { object: 'referral', field: 'campaign_name', type: 'text' },
    target: { object: 'lead', field: 'title' },
    required: true,
  },
];

/** Names operators give the custom fields that hold referral metrics (RF-03), as keys. */
const namesOfReferralFields: readonly (readonly [keyof typeof referralFields, string[]])[] = [
  ['referral_link', ['referral_link', 'referral_url', 'referrer_link']],
  ['referral_code', ['referral_code', 'referrer_code']],
  ['referral_count', ['referral_count', 'referrals', 'number_of_referrals']],
  [
    'converted_count',
    ['converted_referrals', 'converted_referral_count', 'converted_count', 'conversions'],
  ],
  ['campaign_name', ['campaign', 'campaign_name', 'referral_campaign']],
  ['source', ['source', 'referral_source']],
];

function suggestReferralFields(catalogue: readonly FieldDefinition[]): MappingRow[] {
  return namesOfReferralFields.flatMap(([field, names]) => {
    const { type } = referralFields[field];
    const target = catalogue.find(
      (candidate) =>
        candidate.custom &&
        (candidate.object === 'lead' || candidate.object === 'person') &&
        names.includes(keyOfName(candidate.name)) &&
        [type, 'text'].includes(variableTypeOf(candidate) ?? ''),
    );
    if (target === undefined) return [];
    return {
      id: `${target.object}.${target.code}`,
      source: { object: 'referral', field, type },
      target: { object: target.object, field: target.code },
    };
  });
}
