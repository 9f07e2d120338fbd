import { isCustomKey } from '../leads/flat-custom.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import type { Operation, ValueSchema } from '../operations.ts';
import type { Incoming } from './incoming.ts';
import { type Issue, invalid, Problem, refused } from './problem.ts';
import { checkBody } from './validate.ts';

/** Reads and checks a body: JSON, and for v1 also a form. */
export function readBody(operation: Operation, incoming: Incoming): Json {
  const { body: schema } = operation;
  if (schema === undefined) return {};
  const value = parseBody(operation, schema, incoming);
  const checked = operation.version === 'v1' && isObject(value) ? withoutCustomKeys(value) : value;
  const issues = checkBody(schema, checked);
  if (issues.length > 0) throw problemOf(operation, issues);
  return value;
}

function parseBody(operation: Operation, schema: ValueSchema, incoming: Incoming): Json {
  const { text, contentType } = incoming;
  if (text.trim() === '') return schema.type === 'array' ? [] : {};
  if (contentType.startsWith('application/x-www-form-urlencoded') && operation.version === 'v1')
    return coerceForm(schema, new URLSearchParams(text));
  if (!contentType.includes('json')) throw refused(415, 'Unsupported Media Type');
  try {
    return JSON.parse(text);
  } catch {
    throw refused(400, 'Invalid JSON in request body');
  }
}

function coerceForm(schema: ValueSchema, form: URLSearchParams): JsonObject {
  const pairs = [...form].map(([key, text]): [string, Json] => {
    const type = schema.properties?.[key]?.type;
    if ((type === 'integer' || type === 'number') && text !== '') return [key, Number(text)];
    if (type === 'boolean') return [key, text === 'true' || text === '1'];
    return [key, text];
  });
  return Object.fromEntries(pairs);
}

/** Custom fields lie flat beside the others in v1; whoever stores them checks them. */
function withoutCustomKeys(value: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !isCustomKey(key)));
}

function problemOf(operation: Operation, issues: Issue[]): Problem {
  if (operation.version === 'v2') return invalid(issues);
  if (operation.path.startsWith('/webhooks')) {
    const errors = Object.fromEntries(issues.map(({ key, message }) => [key, [message]]));
    return new Problem(400, { status: 'error', success: false, errors });
  }
  return refused(400, issues.map(({ key, message }) => `"${key}" ${message}`).join('; '));
}
