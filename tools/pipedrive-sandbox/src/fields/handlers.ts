import { randomBytes } from 'node:crypto';
import type { ApiRequest, Handler, Handlers } from '../http/api-request.ts';
import { nextCursor, readCursor, readLimit } from '../http/paging.ts';
import { invalidKey, refused } from '../http/problem.ts';
import { data, page } from '../http/reply.ts';
import { isObject } from '../json.ts';
import { wholeSeconds } from '../times.ts';
import type { World } from '../world.ts';
import type { NumberedField } from './catalogue.ts';
import { type FieldEntity, fieldJson } from './field.ts';
import {
  addOptions,
  deleteOptions,
  findField,
  makeOptions,
  readLabels,
  renameOptions,
} from './options.ts';

const ENTITIES: [FieldEntity, name: string][] = [
  ['person', 'Person'],
  ['organization', 'Organization'],
  ['deal', 'Deal'],
  ['product', 'Product'],
];

/** Definitions and their options, the same for all that can have custom fields. */
const customFieldHandlers: Handlers = Object.fromEntries(
  ENTITIES.flatMap(([entity, name]): [string, Handler][] => [
    [`v2 get${name}Fields`, (request, world) => listFields(entity, request, world)],
    [`v2 get${name}Field`, (request, world) => getField(entity, request, world)],
    [`v2 add${name}Field`, (request, world) => addField(entity, request, world)],
    [`v2 update${name}Field`, (request, world) => updateField(entity, request, world)],
    [`v2 delete${name}Field`, (request, world) => deleteField(entity, request, world)],
    [`v2 add${name}FieldOptions`, (request, world) => addOptions(entity, request, world)],
    [`v2 update${name}FieldOptions`, (request, world) => renameOptions(entity, request, world)],
    [`v2 delete${name}FieldOptions`, (request, world) => deleteOptions(entity, request, world)],
  ]),
);

export const fieldHandlers: Handlers = {
  ...customFieldHandlers,
  'v2 getActivityFields': (request, world) => listFields('activity', request, world),
  'v2 getActivityField': (request, world) => getField('activity', request, world),
};

function listFields(entity: FieldEntity, { query }: ApiRequest, world: World) {
  const limit = readLimit(query);
  const after = Number(readCursor(query, 'id')?.value ?? 0);
  const rest = world.fields.list(entity).filter((field) => field.position > after);
  const items = rest.slice(0, limit);
  const last = items.at(-1);
  const cursor =
    last && rest.length > limit
      ? nextCursor({ field: 'id', value: last.position, id: last.position })
      : null;
  return page(
    items.map((field) => JSON.stringify(fieldJson(field, included(query)))),
    cursor,
  );
}

function getField(entity: FieldEntity, { params, query }: ApiRequest, world: World) {
  return data(fieldJson(findField(entity, params, world), included(query)));
}

function addField(entity: FieldEntity, { body }: ApiRequest, world: World) {
  if (!isObject(body)) throw invalidKey('body', 'Expected object');
  const { field_name: name, field_type: type, description = null, options, ...settings } = body;
  if (typeof name !== 'string' || name === '') throw invalidKey('field_name', 'Required');
  if (typeof type !== 'string') throw invalidKey('field_type', 'Required');
  const choice = type === 'enum' || type === 'set';
  if (choice && (!Array.isArray(options) || options.length === 0))
    throw invalidKey('options', 'Required for enum and set fields');
  if (!choice && options !== undefined)
    throw invalidKey('options', 'Only allowed for enum and set fields');

  const addTime = wholeSeconds(world.now());
  const field = world.db.transaction(() =>
    world.fields.insert(entity, {
      code: randomBytes(20).toString('hex'),
      name,
      type,
      description: typeof description === 'string' ? description : null,
      options: choice ? makeOptions(readLabels(options), world) : null,
      custom: true,
      optional: false,
      addTime,
      settings,
    }),
  );
  return data(fieldJson(field));
}

function updateField(entity: FieldEntity, { params, body }: ApiRequest, world: World) {
  const field = findField(entity, params, world);
  if (!isObject(body)) throw invalidKey('body', 'Expected object');
  const { field_name: name = field.name, description = field.description, ...settings } = body;
  if (typeof name !== 'string' || name === '') throw invalidKey('field_name', 'Expected string');
  const changed: NumberedField = {
    ...field,
    name,
    description: typeof description === 'string' ? description : null,
    settings: { ...field.settings, ...settings },
  };
  world.fields.save(entity, changed);
  return data(fieldJson(changed));
}

function deleteField(entity: FieldEntity, { params }: ApiRequest, world: World) {
  const field = findField(entity, params, world);
  if (!field.custom) throw refused(403, 'Only custom fields can be deleted');
  world.db.transaction(() => world.fields.remove(entity, field.code));
  return data(fieldJson(field));
}

function included(query: URLSearchParams): string[] {
  return query.get('include_fields')?.split(',') ?? [];
}
