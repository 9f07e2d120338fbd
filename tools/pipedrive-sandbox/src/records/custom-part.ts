import type { NumberedField } from '../fields/catalogue.ts';
import type { FieldEntity } from '../fields/field.ts';
import type { JsonObject } from '../json.ts';
import type { World } from '../world.ts';
import { CUSTOM_FIELDS, type RecordEntity } from './entities.ts';

/** Every custom field of the account in its order, null where the record has no value; stray codes vanish. */
export function completeCustom(
  entity: FieldEntity | undefined,
  values: JsonObject,
  world: World,
): JsonObject {
  if (entity === undefined) return {};
  const pairs = world.fields.listCustom(entity).map(({ code }) => [code, values[code] ?? null]);
  return Object.fromEntries(pairs);
}

export function listCustomFields(entity: RecordEntity, world: World): NumberedField[] {
  const fields = CUSTOM_FIELDS[entity];
  return fields === undefined ? [] : world.fields.listCustom(fields);
}

/** Of the field list that a record's custom part is written for. */
export function fieldRevision(entity: RecordEntity, world: World): number {
  const fields = CUSTOM_FIELDS[entity];
  return fields === undefined ? 0 : world.fields.revision(fields);
}
