import { z } from 'zod';
import { ChannelValue, FieldCode, FieldDefinition, PipedriveObject } from './pipedrive-records.ts';

/**
 * What a variable of ours holds. Values: text, option, email, phone: string · multiple_options:
 * labels · number: finite number (pointers to users and organizations too) · date: `YYYY-MM-DD` ·
 * time: `HH:MM:SS` · datetime: RFC 3339 UTC · the rest as their schema below.
 */
export const VariableType = z.enum([
  'text',
  'number',
  'boolean',
  'date',
  'datetime',
  'time',
  'option',
  'multiple_options',
  'money',
  'date_range',
  'time_range',
  'email',
  'email_list',
  'phone',
  'phone_list',
]);
export type VariableType = z.infer<typeof VariableType>;

/** Amount in units of the currency (never cents); ISO 4217. */
export const Money = z.strictObject({ amount: z.number(), currency: z.string().nullable() });
export type Money = z.infer<typeof Money>;

/** Dates or wall times, both ends inclusive. */
export const Range = z.strictObject({ start: z.string().nullable(), end: z.string().nullable() });
export type Range = z.infer<typeof Range>;

/** The value of one variable of a contact or an account; null is "known to be empty". */
export const VariableValue = z.union([
  z.null(),
  z.string(),
  z.number(),
  z.boolean(),
  z.array(z.string()),
  z.array(ChannelValue),
  Money,
  Range,
]);
export type VariableValue = z.infer<typeof VariableValue>;

/** A part of a composite field, to split it into variables or join it from them. */
export const MappingPart = z.enum([
  ...['amount', 'currency', 'start', 'end'],
  ...['primary', 'list', 'work', 'home', 'mobile', 'other'],
  ...['value', 'country', 'admin_area_level_1', 'admin_area_level_2', 'locality', 'sublocality'],
  ...['route', 'street_number', 'subpremise', 'postal_code', 'formatted_address'],
] as const);
export type MappingPart = z.infer<typeof MappingPart>;

export const MappingDirection = z.enum(['from_pipedrive', 'to_pipedrive']);
export type MappingDirection = z.infer<typeof MappingDirection>;

const pipedriveEnd = z.object({
  object: PipedriveObject,
  field: FieldCode,
  part: MappingPart.optional(),
});

/**
 * Where a row takes its value: a Pipedrive field, a referral field, one fixed value, or the result
 * of an expression, which somebody else evaluates and hands in beside the record (SL-43).
 */
export const MappingRowSource = z.discriminatedUnion('object', [
  pipedriveEnd,
  z.object({ object: z.literal('referral'), field: FieldCode, type: VariableType }),
  z.object({ object: z.literal('constant'), value: VariableValue, type: VariableType }),
  z.object({
    object: z.literal('calculated'),
    /** Common Expression Language; at most what libs/expressions takes. */
    expression: z.string().min(1).max(4096),
    /** What the result has to be. */
    type: VariableType,
  }),
]);
export type MappingRowSource = z.infer<typeof MappingRowSource>;

/** A way to write to people, which they may allow or refuse. */
export const PermissionChannel = z.enum(['email', 'sms', 'viber']);
export type PermissionChannel = z.infer<typeof PermissionChannel>;

/** What a person allows on a channel. */
export const Permission = z.enum(['subscribed', 'unsubscribed']);
export type Permission = z.infer<typeof Permission>;

/**
 * Where a row puts its value: a Pipedrive field, a variable of a contact or account, or the
 * permission of a contact to be written to on a channel (OR-14, OR-15, WX-12).
 */
export const MappingRowTarget = z.discriminatedUnion('object', [
  pipedriveEnd,
  z.object({
    object: z.enum(['contact', 'account']),
    field: FieldCode,
    type: VariableType,
    part: MappingPart.optional(),
  }),
  z.object({ object: z.literal('permission'), field: PermissionChannel }),
]);
export type MappingRowTarget = z.infer<typeof MappingRowTarget>;
export type TargetObject = MappingRowTarget['object'];

export const MappingRow = z.object({
  id: z.string().min(1).max(100),
  source: MappingRowSource,
  target: MappingRowTarget,
  /** Used when the source gives nothing, and only when the record is created (RF-20). */
  default: VariableValue.optional(),
  /** The whole row counts on creation only: a fixed pipeline, owner or label (RF-19). */
  createOnly: z.boolean().optional(),
  /** A record that cannot fill this target is reported as missing it. */
  required: z.boolean().optional(),
});
export type MappingRow = z.infer<typeof MappingRow>;

/** A target by name: `<object>.<field>`, for example `contact.first_name`. */
export const TargetKey = z.string().regex(/^[a-z]+\.[A-Za-z0-9_.-]+$/, 'not <object>.<field>');
export type TargetKey = z.infer<typeof TargetKey>;

/** What happens to a record that already exists, in the order protected, filled, empty, existing. */
export const MergePolicy = z.object({
  /** `append` fills blanks only, `overwrite` writes, `ignore` leaves existing records alone. */
  existing: z.enum(['append', 'overwrite', 'ignore']),
  /** False: unknown records are not created. */
  createMissing: z.boolean().default(true),
  /** True: an empty incoming value never replaces anything. False: it clears. */
  ignoreEmpty: z.boolean(),
  /** Targets that are never written, not even on creation. */
  protected: z.array(TargetKey).max(1000).default([]),
  /** True: a target that holds a value is never written, whatever `existing` says. */
  protectFilled: z.boolean().default(false),
});
export type MergePolicy = z.infer<typeof MergePolicy>;

/** A mapping as it travels: everything needed to compile it away from the service that owns it. */
export const MappingSource = z.object({
  direction: MappingDirection,
  rows: z.array(MappingRow).max(1000),
  policy: MergePolicy,
  /** The Pipedrive fields the rows name, with their option ids. */
  catalogue: z.array(FieldDefinition).max(2000),
});
export type MappingSource = z.infer<typeof MappingSource>;
