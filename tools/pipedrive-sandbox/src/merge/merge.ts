import { sumOfProducts } from '../deals/products.ts';
import { invalidKey, notFound, refused } from '../http/problem.ts';
import type { ApiRequest } from '../http/api-request.ts';
import { isObject, type Json, type JsonObject, sameJson } from '../json.ts';
import type { StoredRecord } from '../records/kind.ts';
import { findRecordRow, readRecord } from '../records/store.ts';
import { authorOf, commitChange, commitDelete } from '../records/write.ts';
import type { World } from '../world.ts';
import { type Mergeable, moveLinks } from './links.ts';

/** What stays the survivor's own, even when it is empty. */
const OWN: ReadonlySet<string> = new Set([
  'id',
  'add_time',
  'update_time',
  'is_deleted',
  'is_archived',
  'archive_time',
  'status',
  'won_time',
  'lost_time',
  'close_time',
  'lost_reason',
  'local_won_date',
  'local_lost_date',
  'local_close_date',
  'stage_change_time',
  'first_name',
  'last_name',
  'emails',
  'phones',
]);

/**
 * The record in the path is gone afterwards, the one named in the body lives on: its values win, its empty ones are
 * filled, and what hung on the other hangs on it. Returns the survivor.
 */
export function mergeRecords(
  entity: Mergeable,
  { loserId, survivorId }: { loserId: number; survivorId: number },
  request: ApiRequest,
  world: World,
): StoredRecord {
  if (loserId === survivorId) throw refused(400, 'A record cannot be merged with itself');
  const loser = requireLiving(entity, loserId, world);
  const survivor = requireLiving(entity, survivorId, world);
  if (survivor.base.is_archived === true || loser.base.is_archived === true)
    throw invalidKey('id', 'Archived deals cannot be merged');
  const author = authorOf(request);
  const base = fillEmpty(survivor.base, loser.base);
  for (const key of ['emails', 'phones'] as const) {
    const united = unite(survivor.base[key], loser.base[key]);
    if (united !== undefined) base[key] = united;
  }
  const custom = fillEmpty(survivor.custom, loser.custom);
  return world.db.transaction(() => {
    commitDelete(entity, loser, { author, mergedToId: String(survivorId) }, world);
    moveLinks(entity, { from: loserId, to: survivorId }, world);
    if (entity === 'deal') revalue(base, { loser, survivor }, world);
    const after = { base, custom, author, mergedFromId: String(loserId) };
    commitChange(entity, survivor, after, world);
    return requireLiving(entity, survivorId, world);
  });
}

/** An amount comes with its currency; a deal with products is worth their sum. */
function revalue(
  base: JsonObject,
  { loser, survivor }: { loser: StoredRecord; survivor: StoredRecord },
  world: World,
): void {
  if (base.value !== survivor.base.value) base.currency = loser.base.currency ?? null;
  base.value = sumOfProducts(survivor.id, world) ?? base.value ?? 0;
}

function requireLiving(entity: Mergeable, id: number, { db }: World): StoredRecord {
  const row = findRecordRow(db, entity, id);
  if (row === undefined || row.deleted === 1) throw notFound();
  return readRecord(row);
}

function fillEmpty(own: JsonObject, other: JsonObject): JsonObject {
  const pairs = Object.entries(other).filter(
    ([key, value]) => !OWN.has(key) && isEmpty(own[key]) && !isEmpty(value),
  );
  return { ...own, ...Object.fromEntries(pairs) };
}

function isEmpty(value: Json | undefined): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return value === undefined || value === null || value === '' || value === 0;
}

/** The survivor's contacts first, then those it lacks, none of which is primary. */
function unite(own: Json | undefined, other: Json | undefined): JsonObject[] | undefined {
  if (!Array.isArray(own) || !Array.isArray(other)) return undefined;
  const kept = own.filter(isObject);
  const added = other
    .filter(isObject)
    .filter((item) => !kept.some(({ value = null }) => sameJson(value, item.value)))
    .map((item, at) => ({ ...item, primary: kept.length === 0 && at === 0 }));
  return [...kept, ...added];
}
