import type { ApiRequest } from '../http/api-request.ts';
import { invalidKey, notFound } from '../http/problem.ts';
import { data } from '../http/reply.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { wholeSeconds } from '../times.ts';
import type { World } from '../world.ts';
import type { NumberedField } from './catalogue.ts';
import type { FieldEntity, FieldOption } from './field.ts';

export function addOptions(entity: FieldEntity, { params, body }: ApiRequest, world: World) {
  const field = findChoice(entity, params, world);
  const added = world.db.transaction(() => {
    const made = makeOptions(readLabels(body), world);
    world.fields.save(entity, { ...field, options: [...(field.options ?? []), ...made] });
    return made;
  });
  return data(added.map(briefly));
}

export function renameOptions(entity: FieldEntity, { params, body }: ApiRequest, world: World) {
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

export function deleteOptions(entity: FieldEntity, { params, body }: ApiRequest, world: World) {
  const field = findChoice(entity, params, world);
  const ids = new Set<number | string>(readOptions(body).map((item) => item.id));
  requireOptions(field, [...ids]);
  const options = field.options ?? [];
  // records keep the ids of deleted options, as they do at Pipedrive
  const kept = options.filter((option) => !ids.has(option.id));
  world.fields.save(entity, { ...field, options: kept });
  return data(options.filter((option) => ids.has(option.id)).map(briefly));
}

export function findField(entity: FieldEntity, params: Record<string, string>, world: World) {
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

export function makeOptions(labels: string[], world: World): FieldOption[] {
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

export function readLabels(list: Json | undefined): string[] {
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
