import { checkCustomFields, type ValueContext } from '../fields/custom-values.ts';
import type { ApiRequest } from '../http/api-request.ts';
import { type Issue, invalid, invalidKey, notFound } from '../http/problem.ts';
import { isObject, type JsonObject, sameJson, textOf } from '../json.ts';
import { forgetTerms, indexTerms, termsOf } from '../search/terms.ts';
import { wholeSeconds } from '../times.ts';
import { findUser } from '../users/users.ts';
import { changesBetween, hookRecord } from '../webhooks/payload.ts';
import type { World } from '../world.ts';
import { completeCustom } from './custom-part.ts';
import { buildBase, type RecordEntity, type StoredRecord } from './record.ts';
import { findRecordRow, nextRecordId, readRecord, saveRecord } from './store.ts';

/** Creates a record from a v2 body and returns its id. */
export function createRecord(entity: RecordEntity, request: ApiRequest, world: World): number {
  const { base, custom, body } = build(entity, undefined, request, world);
  const now = wholeSeconds(world.now());
  base.add_time = readAddTime(body) ?? now;
  base.update_time = now;
  return world.db.transaction(() => {
    const id = nextRecordId(world.db, entity);
    base.id = id;
    save(entity, { base, custom }, world);
    const data = hookRecord(entity, base, custom, world.fields.listCustom(entity));
    announce(request, world, { entity, action: 'create', id, data, previous: null });
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
  const { base, custom } = build(entity, before, request, world);
  const beforeCustom = completeCustom(entity, before.custom, world);
  if (sameJson(base, before.base) && sameJson(custom, beforeCustom)) return id;
  base.update_time = wholeSeconds(world.now());
  world.db.transaction(() => {
    save(entity, { base, custom }, world);
    const fields = world.fields.listCustom(entity);
    const data = hookRecord(entity, base, custom, fields);
    const previous = changesBetween(hookRecord(entity, before.base, beforeCustom, fields), data);
    announce(request, world, { entity, action: 'change', id, data, previous });
  });
  return id;
}

/** Marks a record deleted: lists and `ids=` drop it, its own address still shows it. */
export function deleteRecord(
  entity: RecordEntity,
  id: number,
  request: ApiRequest,
  world: World,
): void {
  const before = requireRecord(entity, id, world);
  const custom = completeCustom(entity, before.custom, world);
  const base = { ...before.base, is_deleted: true, update_time: wholeSeconds(world.now()) };
  world.db.transaction(() => {
    saveRecord(world.db, entity, { base, custom, revision: world.fields.revision(entity) });
    // the real index keeps deleted organizations; persons leave it after the lag
    if (entity === 'person') forgetTerms(world, entity, id);
    const previous = hookRecord(entity, before.base, custom, world.fields.listCustom(entity));
    announce(request, world, { entity, action: 'delete', id, data: null, previous });
  });
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
): { base: JsonObject; custom: JsonObject; body: JsonObject } {
  const body = isObject(request.body) ? request.body : {};
  const context = { world, userId: request.actor.user.id };
  const { base, issues } = buildBase(entity, before?.base, body, context);
  const custom = checkCustomFields(
    body.custom_fields,
    (code) => world.fields.find(entity, code),
    valueContext(world),
  );
  refuse([...issues, ...custom.issues]);
  const values = { ...before?.custom, ...custom.values };
  return { base, custom: completeCustom(entity, values, world), body };
}

function refuse(issues: Issue[]): void {
  if (issues.length > 0) throw invalid(issues);
}

function requireRecord(entity: RecordEntity, id: number, world: World): StoredRecord {
  const row = findRecordRow(world.db, entity, id);
  if (row === undefined || row.deleted === 1) throw notFound();
  return readRecord(row);
}

function save(
  entity: RecordEntity,
  { base, custom }: { base: JsonObject; custom: JsonObject },
  world: World,
): void {
  saveRecord(world.db, entity, { base, custom, revision: world.fields.revision(entity) });
  indexTerms(
    world,
    entity,
    Number(base.id),
    termsOf(base, custom, world.fields.listCustom(entity)),
  );
}

function announce(
  request: ApiRequest,
  world: World,
  change: {
    entity: RecordEntity;
    action: 'create' | 'change' | 'delete';
    id: number;
    data: JsonObject | null;
    previous: JsonObject | null;
  },
): void {
  world.outbox.announce({
    ...change,
    id: String(change.id),
    userId: request.actor.user.id,
    changeSource: request.changeSource,
  });
}

function readAddTime(body: JsonObject): string | undefined {
  if (body.add_time === undefined) return undefined;
  const at = new Date(textOf(body.add_time));
  if (Number.isNaN(at.getTime())) throw invalidKey('add_time', 'not a valid datetime');
  return wholeSeconds(at);
}
