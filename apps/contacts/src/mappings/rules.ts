import type {
  MappingSource,
  MergePolicy,
  PipedriveRecord,
  VariableType,
  VariableValue,
} from '@manifold/contracts';
import {
  compile,
  isEmpty,
  type MappedRecord,
  sourceFieldsOf,
  targetKeyOf,
} from '@manifold/mapping';
import type { SyncedObject, Values } from '../store.ts';

/** What a variable is called and holds. */
export interface VariableDefinition {
  key: string;
  label: string;
  type: VariableType;
}

/** A mapping compiled for the two objects a data source reads. */
export interface ReadyMapping {
  version: number;
  policy: MergePolicy;
  /** Field codes to ask connections for. */
  fields: Record<SyncedObject, string[]>;
  variables: Record<SyncedObject, VariableDefinition[]>;
  map(record: PipedriveRecord): MappedRecord;
}

/** Persons become contacts, organizations accounts. */
export const entityOf = (object: SyncedObject): 'contact' | 'account' =>
  object === 'person' ? 'contact' : 'account';

// read whatever the mapping names: the account of a contact, and whether it may be written to (A4)
const ALWAYS_READ: Record<SyncedObject, string[]> = {
  person: ['org_id', 'marketing_status'],
  organization: [],
};

export function prepareMapping(version: number, source: MappingSource): ReadyMapping {
  const compiled = compile(source);
  const fieldsOf = (object: SyncedObject): string[] => [
    ...new Set([...sourceFieldsOf(source.rows, object), ...ALWAYS_READ[object]]),
  ];
  return {
    version,
    policy: source.policy,
    fields: { person: fieldsOf('person'), organization: fieldsOf('organization') },
    variables: {
      person: variablesOf(source, 'person'),
      organization: variablesOf(source, 'organization'),
    },
    map: ({ object, fields }) =>
      compiled.map({ object: object === 'person' ? 'person' : 'organization', fields }),
  };
}

function variablesOf(source: MappingSource, object: SyncedObject): VariableDefinition[] {
  const names = new Map(
    source.catalogue.map((field) => [
      targetKeyOf({ object: field.object, field: field.code }),
      field.name,
    ]),
  );
  const byKey = new Map<string, VariableDefinition>();
  for (const { source: from, target } of source.rows) {
    if (target.object !== entityOf(object) || byKey.has(target.field) || !('type' in target))
      continue;
    const label = 'field' in from ? names.get(`${from.object}.${from.field}`) : undefined;
    byKey.set(target.field, { key: target.field, label: label ?? target.field, type: target.type });
  }
  return [...byKey.values()];
}

/** What a list shows, orders and finds by, taken from the variables. */
export interface HotColumns {
  name: string;
  name_sort: string;
  email: string;
  phone: string;
}

const MAX_NAME = 250;
const MAX_SORT = 200;

export function hotColumns(values: Values, variables: readonly VariableDefinition[]): HotColumns {
  const name = nameOf(values).slice(0, MAX_NAME);
  return {
    name,
    name_sort: name.toLowerCase().slice(0, MAX_SORT),
    email: channelOf(values, variables, 'email').toLowerCase().slice(0, 320),
    phone: channelOf(values, variables, 'phone').slice(0, 64),
  };
}

/** Variables a contact of another system is known by. */
export const USER_ID_KEYS = ['user_id', 'userId'];

/** True: an e-mail address, a phone number or a user id tells who it is (WX-10). */
export function hasIdentifier(values: Values, variables: readonly VariableDefinition[]): boolean {
  const { email, phone } = hotColumns(values, variables);
  return email !== '' || phone !== '' || USER_ID_KEYS.some((key) => !isEmpty(values[key] ?? null));
}

function nameOf(values: Values): string {
  const parts = [values['first_name'], values['last_name']].filter(
    (part) => typeof part === 'string',
  );
  const name = [values['name'], values['full_name'], parts.join(' ')].find(
    (candidate) => typeof candidate === 'string' && candidate.trim() !== '',
  );
  return typeof name === 'string' ? name.trim() : '';
}

/** The variable of that very name, else the first of the type, else the primary of a list. */
function channelOf(
  values: Values,
  variables: readonly VariableDefinition[],
  channel: 'email' | 'phone',
): string {
  const ofType = variables.filter(({ type }) => type === channel || type === `${channel}_list`);
  const keys = [channel, ...ofType.map(({ key }) => key), `${channel}s`];
  for (const key of keys) {
    const address = primaryOf(values[key] ?? null);
    if (address !== '') return address;
  }
  return '';
}

function primaryOf(value: VariableValue): string {
  if (typeof value === 'string') return value.trim();
  if (!Array.isArray(value)) return '';
  const channels = value.filter((entry) => typeof entry !== 'string');
  return (channels.find(({ primary }) => primary) ?? channels[0])?.value.trim() ?? '';
}
