import type { FieldEntity } from '../fields/field.ts';
import type { JsonObject } from '../json.ts';
import type { World } from '../world.ts';

/** Every custom field of the account in its order, null where the record has no value; stray codes vanish. */
export function completeCustom(entity: FieldEntity, values: JsonObject, world: World): JsonObject {
  const pairs = world.fields.listCustom(entity).map(({ code }) => [code, values[code] ?? null]);
  return Object.fromEntries(pairs);
}
