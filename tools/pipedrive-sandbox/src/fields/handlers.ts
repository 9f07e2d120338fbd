import { randomBytes } from 'node:crypto';
import type { ApiRequest, Handler, Handlers } from '../http/api-request.ts';
import { nextCursor, readCursor, readLimit } from '../http/paging.ts';
import { invalidKey, notFound, refused } from '../http/problem.ts';
import { data, page } from '../http/reply.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { wholeSeconds } from '../times.ts';
import type { World } from '../world.ts';
import type { NumberedField } from './catalogue.ts';
import { type FieldEntity, type FieldOption, fieldJson } from './field.ts';

const ENTITIES: [FieldEntity, name: string][] = [
  ['person', 'Person'],
  ['organization', 'Organization'],
  ['deal', 'Deal'],
];

/** Definitions and their options, the same for persons, organizations and deals. */
export const fieldHandlers: Handlers = Object.fromEntries(
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

function addOptions(entity: FieldEntity, { params, body }: ApiRequest, world: World) {
  const field = findChoice(entity, params, world);
  const added = world.db.transaction(() => {
    const made = makeOptions(readLabels(body), world);
    world.fields.save(entity, { ...field, options: [...(field.options ?? []), ...made] });
    return made;
  });
  return data(added.map(briefly));
}

function renameOptions(entity: FieldEntity, { params, body }: ApiRequest, world: World) {
  const field = findChoice(entity, params, world);
  const labels = new Map<number | string, string>(
    readOptions(body).map((item) => [item.id, item.label]),
  );
  requireOptions(field, [...labels.keys()]);
  const update_time = wholeSeconds(world.now());
  const options = (field.options ?? []).map((option) => {
    const label = labels.get(option.id);
    return label === undefined ? option : { ...option, label, update_time };
  });
  world.fields.save(entity, { ...field, options });
  return data(options.filter((option) => labels.has(option.id)).map(briefly));
}

function deleteOptions(entity: FieldEntity, { params, body }: ApiRequest, world: World) {
  const field = findChoice(entity, params, world);
  const ids = new Set<number | string>(readOptions(body).map((item) => item.id));
  requireOptions(field, [...ids]);
  const options = field.options ?? [];
  // records keep the ids of deleted options, as they do at Pipedrive
  const kept = options.filter((option) => !ids.has(option.id));
  world.fields.save(entity, { ...field, options: kept });
  return data(options.filter((option) => ids.has(option.id)).map(briefly));
}

function findField(entity: FieldEntity, params: Record<string, string>, world: World) {
  const field = world.fields.find(entity, params.field_code ?? '');
  if (field === undefined) throw notFound('Field not found');
  return field;
}

function findChoice(entity: FieldEntity, params: Record<string, string>, world: World) {
  const field = findField(entity, params, world);
  if (field.type !== 'enum' && field.type !== 'set')
    throw invalidKey('field_code', 'Field has no options');
  return field;
}

function requireOptions(field: NumberedField, ids: (number | string)[]): void {
  const known = new Set(field.options?.map((option) => option.id));
  const unknown = ids.find((id) => !known.has(id));
  if (unknown !== undefined) throw invalidKey('id', `Option ${unknown} does not exist`);
}

function makeOptions(labels: string[], world: World): FieldOption[] {
  const time = wholeSeconds(world.now());
  const first = world.fields.takeOptionIds(labels.length);
  return labels.map((label, at) => ({
    id: first + at,
    label,
    color: null,
    add_time: time,
    update_time: time,
  }));
}

function readLabels(list: Json | undefined): string[] {
  return readItems(list).map(({ label }) => {
    if (typeof label === 'string' && label.length > 0 && label.length <= 255) return label;
    throw invalidKey('label', 'String must contain 1 to 255 character(s)');
  });
}

function readOptions(list: Json): { id: number; label: string }[] {
  return readItems(list).map(({ id, label }) => {
    if (typeof id !== 'number') throw invalidKey('id', 'Required');
    return { id, label: typeof label === 'string' ? label : '' };
  });
}

function readItems(list: Json | undefined): JsonObject[] {
  if (!Array.isArray(list) || list.length === 0) throw invalidKey('body', 'Expected options');
  return list.filter(isObject);
}

function briefly({ id, label }: FieldOption): JsonObject {
  return { id, label };
}

function included(query: URLSearchParams): string[] {
  return query.get('include_fields')?.split(',') ?? [];
}
