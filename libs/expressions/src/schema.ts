import type { VariableType } from '@manifold/contracts';

/**
 * What a variable holds. `integer` and `number` decide how numbers are calculated with, whatever
 * their value in one record; `datetime` and `date` are read into instants; `any` is not checked.
 */
export type ValueSchema =
  | 'text'
  | 'integer'
  | 'number'
  | 'boolean'
  | 'datetime'
  | 'date'
  | 'any'
  | { readonly list: ValueSchema }
  | { readonly map: ValueSchema }
  | { readonly fields: Readonly<Record<string, ValueSchema>> };

/** The names an expression may use, and what they hold. */
export type Variables = Readonly<Record<string, ValueSchema>>;

const channels: ValueSchema = {
  list: { fields: { value: 'text', label: 'text', primary: 'boolean' } },
};
const range: ValueSchema = { fields: { start: 'text', end: 'text' } };

const schemas: Record<VariableType, ValueSchema> = {
  text: 'text',
  number: 'number',
  boolean: 'boolean',
  date: 'date',
  datetime: 'datetime',
  time: 'text',
  option: 'text',
  multiple_options: { list: 'text' },
  money: { fields: { amount: 'number', currency: 'text' } },
  date_range: range,
  time_range: range,
  email: 'text',
  email_list: channels,
  phone: 'text',
  phone_list: channels,
};

/** The schema of a value of one of our variable types. */
export const schemaOf = (type: VariableType): ValueSchema => schemas[type];

/** What the language itself calls these; a variable of that name could not be told apart. */
const TAKEN = new Set([
  ...['cel', 'math', 'google', 'optional', 'string', 'bool', 'int', 'uint', 'double', 'map'],
  ...['list', 'bytes', 'null_type', 'type', 'true', 'false', 'null', 'in', 'as', 'break', 'const'],
  ...['continue', 'else', 'for', 'function', 'if', 'import', 'let', 'loop', 'package', 'return'],
  ...['namespace', 'var', 'void', 'while', '__proto__', 'prototype'],
]);

/** Whether a variable of this name can be used in an expression; others are left out. */
export const isVariableName = (name: string): boolean =>
  /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !TAKEN.has(name);
