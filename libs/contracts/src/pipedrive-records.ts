import { z } from 'zod';

/** The Pipedrive objects Manifold understands, by the name webhooks use for them. */
export const PipedriveObject = z.enum([
  'person',
  'organization',
  'deal',
  'lead',
  'activity',
  'note',
  'product',
  'user',
]);
export type PipedriveObject = z.infer<typeof PipedriveObject>;

/**
 * The type of a field. Pipedrive's own names, and three of ours where its name does not tell the
 * shape of the value: `emails` and `phones` (the lists of a person), `datetime` (an instant).
 * A type Pipedrive adds later arrives as `unknown`.
 */
export const FieldType = z.enum([
  ...['varchar', 'varchar_auto', 'text', 'varchar_options', 'phone', 'picture', 'json'],
  ...['int', 'double', 'boolean', 'monetary'],
  ...['date', 'datetime', 'daterange', 'time', 'timerange'],
  ...['enum', 'set', 'status', 'visible_to', 'billing_frequency', 'price_list'],
  ...['user', 'org', 'people', 'deal', 'deals', 'lead', 'project', 'product', 'activity'],
  ...['pipeline', 'stage', 'projects_board', 'projects_phase'],
  ...['address', 'emails', 'phones', 'unknown'],
] as const);
export type FieldType = z.infer<typeof FieldType>;

/** A field's code: a built-in name or the 40 hexadecimal characters of a custom field. */
export const FieldCode = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, 'not a field code');
export type FieldCode = z.infer<typeof FieldCode>;

/** The id of an option: a number for custom fields, text for some built-in ones and lead labels. */
export const OptionId = z.union([z.number(), z.string()]);
export type OptionId = z.infer<typeof OptionId>;

export const FieldOption = z.object({ id: OptionId, label: z.string() });
export type FieldOption = z.infer<typeof FieldOption>;

/** One entry of a field catalogue. Names are not unique in Pipedrive; codes are, per object. */
export const FieldDefinition = z.object({
  object: PipedriveObject,
  code: FieldCode,
  name: z.string(),
  type: FieldType,
  custom: z.boolean(),
  /** True: Pipedrive computes it and refuses to have it written. */
  readOnly: z.boolean().optional(),
  options: z.array(FieldOption).optional(),
  /** Codes of the parts of a composite, as Pipedrive lists them (`locality`, `currency`, …). */
  subfields: z.array(z.string()).optional(),
});
export type FieldDefinition = z.infer<typeof FieldDefinition>;

/** Money as Pipedrive holds it; the currency is an ISO 4217 code. */
export const MonetaryValue = z.strictObject({ value: z.number(), currency: z.string().nullable() });
export type MonetaryValue = z.infer<typeof MonetaryValue>;

/** Two calendar dates, `YYYY-MM-DD`, both inclusive. */
export const DateRangeValue = z.strictObject({
  value: z.string().nullable(),
  until: z.string().nullable(),
});
export type DateRangeValue = z.infer<typeof DateRangeValue>;

/**
 * Wall time, `HH:MM:SS`, in a zone known by Pipedrive's own number. `timezoneName` (IANA) is for
 * writing only: webhooks do not carry it, so a record that was read never has it.
 */
export const TimeValue = z.strictObject({
  value: z.string(),
  timezoneId: z.number().nullable(),
  timezoneName: z.string().optional(),
});
export type TimeValue = z.infer<typeof TimeValue>;

export const TimeRangeValue = z.strictObject({
  value: z.string().nullable(),
  until: z.string().nullable(),
  timezoneId: z.number().nullable(),
  timezoneName: z.string().optional(),
});
export type TimeRangeValue = z.infer<typeof TimeRangeValue>;

/** The parts of an address; Pipedrive derives all of them from `value`. */
export const ADDRESS_PARTS = [
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
const addressPart = z.string().nullable();

export const AddressValue = z.strictObject({
  value: z.string(),
  country: addressPart,
  admin_area_level_1: addressPart,
  admin_area_level_2: addressPart,
  locality: addressPart,
  sublocality: addressPart,
  route: addressPart,
  street_number: addressPart,
  subpremise: addressPart,
  postal_code: addressPart,
  formatted_address: addressPart,
});
export type AddressValue = z.infer<typeof AddressValue>;

/** One e-mail address or phone number of a person; at most one of a list is primary. */
export const ChannelValue = z.strictObject({
  value: z.string(),
  label: z.string(),
  primary: z.boolean(),
});
export type ChannelValue = z.infer<typeof ChannelValue>;

/**
 * The value of a field, in one form for REST v2, REST v1 and webhooks. By field type:
 * text types, `date` (`YYYY-MM-DD`) and `datetime` (RFC 3339 UTC): string · `int`, `double` and
 * every pointer (`user`, `org`, `people`, …): number · `enum`: option id · `set`: option ids ·
 * composites: the objects above · `emails`, `phones`: `ChannelValue[]` · nothing: null.
 */
export const FieldValue = z.union([
  z.null(),
  z.string(),
  z.number(),
  z.boolean(),
  z.array(z.number()),
  z.array(z.string()),
  z.array(ChannelValue),
  MonetaryValue,
  DateRangeValue,
  TimeValue,
  TimeRangeValue,
  AddressValue,
]);
export type FieldValue = z.infer<typeof FieldValue>;

/**
 * One Pipedrive record, whatever way it came. A key that is absent from `fields` was not in the
 * source and says nothing; a key with null is a field known to be empty. The money of a deal or
 * lead is `value`, amount and currency together.
 */
export const PipedriveRecord = z.object({
  object: PipedriveObject,
  /** Pipedrive's id as text: a number for most objects, a UUID for leads. */
  id: z.string().min(1),
  /** RFC 3339 UTC. Whole seconds, except for leads. */
  updateTime: z.string().nullable(),
  addTime: z.string().nullable(),
  deleted: z.boolean(),
  fields: z.record(z.string(), FieldValue),
});
export type PipedriveRecord = z.infer<typeof PipedriveRecord>;
