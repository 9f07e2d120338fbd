import { logChange } from '../changelog/log.ts';
import { checkCustomFields, type ValueContext } from '../fields/custom-values.ts';
import type { ApiRequest } from '../http/api-request.ts';
import { invalid, invalidKey, notFound } from '../http/problem.ts';
import { isObject, type JsonObject, sameJson, textOf } from '../json.ts';
import { forgetTerms, indexTerms, isSearchable, termsOf } from '../search/terms.ts';
import { wholeSeconds } from '../times.ts';
import { findUser } from '../users/users.ts';
import type { Author } from '../webhooks/outbox.ts';
import { changesBetween, hookRecord } from '../webhooks/payload.ts';
import type { World } from '../world.ts';
import { completeCustom, fieldRevision, listCustomFields } from './custom-part.ts';
import { CUSTOM_FIELDS, type RecordEntity } from './entities.ts';
import type { StoredRecord } from './kind.ts';
import { buildBase, identify } from './record.ts';
import { findRecordRow, nextRecordId, readRecord, saveRecord } from './store.ts';

/** Creates a record from a v2 body and returns its id. */
export function createRecord(entity: RecordEntity, request: ApiRequest, world: World): number {
  const { base, values, body } = build(entity, undefined, request, world);
  const custom = completeCustom(CUSTOM_FIELDS[entity], values, world);
  const now = wholeSeconds(world.now());
  base.add_time = readAddTime(body) ?? now;
  base.update_time = now;
  return world.db.transaction(() => {
    const id = nextRecordId(world.db, entity);
    identify(entity, base, id);
    store(entity, { base, custom }, world);
    const data = hookRecord(entity, base, custom, listCustomFields(entity, world));
    const change = { entity, action: 'create' as const, id: String(id), data, previous: null };
    world.outbox.announce({ ...change, ...authorOf(request) });
    return id;
  });
}

/** Changes what the body names. A body that changes nothing leaves the update time and sends no webhook. */
export function changeRecord(
  entity: RecordEntity,
  id: number,
  request: ApiRequest,
  world: World,
): number {
  const before = requireRecord(entity, id, world);
  const { base, values } = build(entity, before, request, world);
  commitChange(entity, before, { base, custom: values, author: authorOf(request) }, world);
  return id;
}

/** Writes a changed record with its history and its webhook; one that did not change is left alone. */
export function commitChange(
  entity: RecordEntity,
  before: StoredRecord,
  after: { base: JsonObject; custom: JsonObject; author: Author; mergedFromId?: string },
  world: World,
): void {
  const { base, author, mergedFromId } = after;
  const custom = completeCustom(CUSTOM_FIELDS[entity], after.custom, world);
  const beforeCustom = completeCustom(CUSTOM_FIELDS[entity], before.custom, world);
  const same = sameJson(base, before.base) && sameJson(custom, beforeCustom);
  if (same && mergedFromId === undefined) return;
  base.update_time = wholeSeconds(world.now());
  world.db.transaction(() => {
    store(entity, { base, custom }, world);
    const fields = listCustomFields(entity, world);
    const old = { id: before.id, base: before.base, custom: beforeCustom };
    logChange(entity, { before: old, after: { base, custom }, fields, author }, world);
    const data = hookRecord(entity, base, custom, fields);
    const previous = changesBetween(hookRecord(entity, before.base, beforeCustom, fields), data);
    const merged = mergedFromId === undefined ? {} : { mergedFromId };
    const change = { entity, action: 'change' as const, id: String(before.id), data, previous };
    world.outbox.announce({ ...change, ...author, ...merged });
  });
}

/** Marks a record deleted: lists and `ids=` drop it, its own address still shows it. */
export function deleteRecord(
  entity: RecordEntity,
  id: number,
  request: ApiRequest,
  world: World,
): void {
  const before = requireRecord(entity, id, world);
  commitDelete(entity, before, { author: authorOf(request) }, world);
}

/** `mergedToId` is the record that lives on. */
export function commitDelete(
  entity: RecordEntity,
  before: StoredRecord,
  how: { author: Author; mergedToId?: string },
  world: World,
): void {
  const { author, ...merged } = how;
  const custom = completeCustom(CUSTOM_FIELDS[entity], before.custom, world);
  const base = { ...before.base, is_deleted: true, update_time: wholeSeconds(world.now()) };
  world.db.transaction(() => {
    saveRecord(world.db, entity, { base, custom, revision: fieldRevision(entity, world) });
    // the real index keeps deleted organizations; all others leave it after the lag
    if (entity !== 'organization' && isSearchable(entity)) forgetTerms(world, entity, before.id);
    const previous = hookRecord(entity, before.base, custom, listCustomFields(entity, world));
    const change = { entity, action: 'delete' as const, id: String(before.id), previous };
    world.outbox.announce({ ...change, data: null, ...author, ...merged });
  });
}

export function authorOf({ actor, changeSource }: ApiRequest): Author {
  return { userId: actor.user.id, changeSource };
}

export function valueContext(world: World): ValueContext {
  return {
    isUser: (id) => findUser(world.db, id) !== undefined,
    timeZone: 'Europe/Tallinn',
    currency: 'EUR',
  };
}

function build(
  entity: RecordEntity,
  before: StoredRecord | undefined,
  request: ApiRequest,
  world: World,
): { base: JsonObject; values: JsonObject; body: JsonObject } {
  const body = isObject(request.body) ? request.body : {};
  const context = { world, userId: request.actor.user.id };
  const { base, issues } = buildBase(entity, before?.base, body, context);
  const fields = CUSTOM_FIELDS[entity];
  const custom = checkCustomFields(
    body.custom_fields,
    (code) => fields && world.fields.find(fields, code),
    valueContext(world),
  );
  const all = [...issues, ...custom.issues];
  if (all.length > 0) throw invalid(all);
  return { base, values: { ...before?.custom, ...custom.values }, body };
}

/** A living record. */
export function requireRecord(entity: RecordEntity, id: number, world: World): StoredRecord {
  const row = findRecordRow(world.db, entity, id);
  if (row === undefined || row.deleted === 1) throw notFound();
  return readRecord(row);
}

/** Saves a record and what search finds it by. */
export function store(
  entity: RecordEntity,
  { base, custom }: { base: JsonObject; custom: JsonObject },
  world: World,
): void {
  saveRecord(world.db, entity, { base, custom, revision: fieldRevision(entity, world) });
  if (!isSearchable(entity)) return;
  const terms = termsOf(base, custom, listCustomFields(entity, world));
  indexTerms(world, entity, Number(base.id), terms);
}

function readAddTime(body: JsonObject): string | undefined {
  if (body.add_time === undefined) return undefined;
  const at = new Date(textOf(body.add_time));
  if (Number.isNaN(at.getTime())) throw invalidKey('add_time', 'not a valid datetime');
  return wholeSeconds(at);
}
