import type { NumberedField } from '../fields/catalogue.ts';
import type { FieldEntity } from '../fields/field.ts';
import type { Issue } from '../http/problem.ts';
import type { Json, JsonObject } from '../json.ts';
import { wholeSeconds } from '../times.ts';
import type { World } from '../world.ts';

/** A record with its two halves parsed: built-in properties as served, custom values by code. */
export interface StoredRecord {
  id: number;
  base: JsonObject;
  custom: JsonObject;
  deleted: boolean;
}

/** What turning a body into a record may look at, and where it says what is wrong. */
export interface BuildContext {
  world: World;
  userId: number;
  issues: Issue[];
}

/** How one noun turns a body into its built-in part. */
export interface Kind {
  /** A new record, its properties in the order they are served. */
  empty(context: BuildContext): JsonObject;
  /** Writes the body into `base`; `before` is undefined for a new record. */
  apply(
    base: JsonObject,
    body: JsonObject,
    before: JsonObject | undefined,
    context: BuildContext,
  ): void;
  /** Called once the new record has its id. */
  identify?(base: JsonObject): void;
}

/** Takes over what the body says about plain properties. */
export function assign(base: JsonObject, body: JsonObject, keys: readonly string[]): void {
  for (const key of keys) if (body[key] !== undefined) base[key] = body[key];
}

/** A name or title: trimmed, never empty. */
export function applyText(
  base: JsonObject,
  body: JsonObject,
  key: 'name' | 'title',
  { issues }: BuildContext,
): void {
  if (typeof body[key] === 'string') base[key] = body[key].trim();
  if (base[key] === '') issues.push({ key, message: 'Required' });
}

const LINKED: Record<string, { sql: string; name: string }> = {
  owner_id: { sql: 'select 1 from user where id = ?', name: 'User' },
  person_id: { sql: 'select 1 from person where id = ? and deleted = 0', name: 'Person' },
  org_id: {
    sql: 'select 1 from organization where id = ? and deleted = 0',
    name: 'Organization',
  },
  deal_id: { sql: 'select 1 from deal where id = ? and deleted = 0', name: 'Deal' },
  lead_id: { sql: 'select 1 from lead where id = ? and deleted = 0', name: 'Lead' },
  pipeline_id: { sql: 'select 1 from pipeline where id = ? and deleted = 0', name: 'Pipeline' },
  stage_id: { sql: 'select 1 from stage where id = ? and deleted = 0', name: 'Stage' },
  product_id: { sql: 'select 1 from product where id = ? and deleted = 0', name: 'Product' },
};

/** What is wrong with a link to another record; null and absent are fine. */
export function findBrokenLink(world: World, key: string, id: Json | undefined): Issue | undefined {
  const linked = LINKED[key];
  if (linked === undefined || (typeof id !== 'number' && typeof id !== 'string')) return undefined;
  const found = world.db.find(linked.sql, id);
  return found === undefined ? { key, message: `${linked.name} not found` } : undefined;
}

/** Links to other records; each must exist. */
export function applyLinks(
  base: JsonObject,
  body: JsonObject,
  keys: readonly string[],
  { world, issues }: BuildContext,
): void {
  assign(base, body, keys);
  for (const key of keys) {
    const issue = findBrokenLink(world, key, body[key]);
    if (issue !== undefined) issues.push(issue);
  }
}

const VISIBILITIES = [1, 3, 5, 7];

export function applyVisibility(base: JsonObject, body: JsonObject, { issues }: BuildContext) {
  if (body.visible_to === undefined) return;
  base.visible_to = body.visible_to;
  if (!VISIBILITIES.some((value) => value === body.visible_to))
    issues.push({ key: 'visible_to', message: `Expected ${VISIBILITIES.join(' | ')}` });
}

export function applyLabels(
  entity: FieldEntity,
  base: JsonObject,
  body: JsonObject,
  { world, issues }: BuildContext,
): void {
  if (body.label_ids === undefined) return;
  base.label_ids = body.label_ids;
  if (!areOptions(world.fields.find(entity, 'label_ids'), body.label_ids))
    issues.push({ key: 'label_ids', message: 'Invalid option' });
}

export function areOptions(field: NumberedField | undefined, ids: Json): boolean {
  const known = new Set<Json>(field?.options?.map((option) => option.id));
  return Array.isArray(ids) && ids.every((id) => known.has(id));
}

/** A point in time of a body, in either of Pipedrive's two forms, in the form it is served. */
export function readMoment(
  body: JsonObject,
  key: string,
  { issues }: BuildContext,
): string | undefined {
  const text = body[key];
  if (typeof text !== 'string') return undefined;
  const spaced = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)$/.exec(text);
  const at = new Date(spaced === null ? text : `${spaced[1]}T${spaced[2]}Z`);
  if (!Number.isNaN(at.getTime())) return wholeSeconds(at);
  issues.push({ key, message: 'not a valid datetime' });
  return undefined;
}
