import type { Json, JsonObject } from '../json.ts';

export type FieldEntity = 'person' | 'organization' | 'deal' | 'product' | 'activity' | 'note';

export interface FieldOption {
  id: number | string;
  label: string;
  color?: string | null;
  add_time?: string | null;
  update_time?: string | null;
}

/** A field definition; the numeric id that v1 still shows is the row's position. */
export interface Field {
  code: string;
  name: string;
  type: string;
  description: string | null;
  options: FieldOption[] | null;
  custom: boolean;
  /** Only served when `include_fields` asks for it. */
  optional: boolean;
  addTime: string;
  settings: JsonObject;
}

/** The custom types that can be created, here and at Pipedrive. */
export const CREATABLE_TYPES = [
  'varchar',
  'varchar_auto',
  'text',
  'double',
  'monetary',
  'date',
  'daterange',
  'time',
  'timerange',
  'enum',
  'set',
  'phone',
  'address',
  'user',
  'org',
  'people',
] as const;

export const ADDRESS_PARTS = [
  'value',
  'country',
  'admin_area_level_1',
  'admin_area_level_2',
  'locality',
  'sublocality',
  'route',
  'street_number',
  'subpremise',
  'postal_code',
  'formatted_address',
] as const;

const SUBFIELDS: Record<string, [code: string, name: string, type: string][]> = {
  address: ADDRESS_PARTS.map((part) => [part, `${part.replaceAll('_', ' ')} of`, 'varchar']),
  monetary: [
    ['value', 'Amount of', 'double'],
    ['currency', 'Currency of', 'varchar'],
  ],
  daterange: [
    ['value', 'Start of', 'date'],
    ['until', 'End of', 'date'],
  ],
  time: [
    ['value', 'Time of', 'time'],
    ['timezone_id', 'Time zone of', 'int'],
    ['timezone_name', 'Time zone name of', 'varchar'],
  ],
  timerange: [
    ['value', 'Start of', 'time'],
    ['until', 'End of', 'time'],
    ['timezone_id', 'Time zone of', 'int'],
    ['timezone_name', 'Time zone name of', 'varchar'],
  ],
};

/** A definition as REST v2 serves it. `include` names the settings that were asked for. */
export function fieldJson(field: Field, include: string[] = []): JsonObject {
  const parts = SUBFIELDS[field.type];
  const subfields = parts?.map(([code, name, type]) => ({
    field_code: code,
    field_name: `${name} ${field.name}`,
    field_type: type,
  }));
  const settings = include.map((key): [string, Json] => [key, field.settings[key] ?? {}]);
  return {
    field_name: field.name,
    field_code: field.code,
    description: field.description,
    field_type: field.type,
    options: field.options?.map((option): JsonObject => ({ ...option })) ?? null,
    subfields: subfields ?? null,
    is_custom_field: field.custom,
    is_optional_response_field: field.optional,
    ...Object.fromEntries(settings),
  };
}
