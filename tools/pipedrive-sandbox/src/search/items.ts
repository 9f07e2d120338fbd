import { isObject, type Json, type JsonObject } from '../json.ts';
import { findLead } from '../leads/store.ts';
import { listNotesOf } from '../notes/store.ts';
import type { RecordEntity } from '../records/entities.ts';
import { findRecordRow, readRecord } from '../records/store.ts';
import type { World } from '../world.ts';
import type { Match } from './matches.ts';
import { NOTE_COLUMNS, type Searched } from './terms.ts';

interface Found {
  base: JsonObject;
  custom: JsonObject;
  deleted: boolean;
}

/** The index's own view of a record, which outlives deleted organizations and lacks most properties. */
export function searchItem(entity: Searched, match: Match, world: World): JsonObject | undefined {
  const found = findOne(entity, match.id, world);
  if (found === undefined || (found.deleted && entity !== 'organization')) return undefined;
  const { base, custom } = found;
  const fields = entity === 'lead' ? 'deal' : entity;
  const hits = match.fields.filter((code) => world.fields.find(fields, code)?.custom);
  const shared = {
    id: match.id,
    type: entity,
    visible_to: entity === 'lead' ? Number(base.visible_to) : (base.visible_to ?? null),
    owner: { id: base.owner_id ?? null },
    custom_fields: hits.map((code) => plain(custom[code] ?? null)),
    notes: match.fields.includes('notes') ? notesOf(entity, match.id, world) : [],
  };
  switch (entity) {
    case 'person':
      return { ...shared, ...personPart(base, world) };
    case 'organization':
      return { ...shared, name: base.name ?? null, address: plain(base.address ?? null) };
    case 'deal':
      return { ...shared, ...dealPart(base, world) };
    case 'lead':
      return { ...shared, ...leadPart(base, world) };
    case 'product': {
      const { notes: _, ...rest } = shared;
      return { ...rest, name: base.name ?? null, code: base.code ?? null };
    }
  }
}

function findOne(entity: Searched, id: number | string, { db }: World): Found | undefined {
  if (entity === 'lead') {
    const lead = findLead(db, String(id));
    return lead && { ...lead, deleted: false };
  }
  const row = findRecordRow(db, entity, Number(id));
  return row && readRecord(row);
}

function personPart(base: JsonObject, world: World): JsonObject {
  return {
    name: base.name ?? null,
    phones: plainList(base.phones),
    emails: plainList(base.emails),
    organization: organizationOf(base.org_id, world),
  };
}

function dealPart(base: JsonObject, world: World): JsonObject {
  const stage = baseOf('stage', base.stage_id, world);
  return {
    title: base.title ?? null,
    value: base.value ?? null,
    currency: base.currency ?? null,
    status: base.status ?? null,
    stage: stage === undefined ? null : { id: stage.id ?? null, name: stage.name ?? null },
    person: personOf(base.person_id, world),
    organization: organizationOf(base.org_id, world),
    is_archived: base.is_archived ?? false,
  };
}

function leadPart(base: JsonObject, world: World): JsonObject {
  const value = isObject(base.value) ? base.value : {};
  const person = baseOf('person', base.person_id, world);
  return {
    title: base.title ?? null,
    value: value.amount ?? null,
    currency: value.currency ?? null,
    person: personOf(base.person_id, world),
    organization: organizationOf(base.organization_id, world),
    phones: plainList(person?.phones),
    emails: plainList(person?.emails),
    is_archived: base.is_archived ?? false,
  };
}

function personOf(id: Json | undefined, world: World): JsonObject | null {
  const base = baseOf('person', id, world);
  return base === undefined ? null : { id: base.id ?? null, name: base.name ?? null };
}

function organizationOf(id: Json | undefined, world: World): JsonObject | null {
  const base = baseOf('organization', id, world);
  if (base === undefined) return null;
  return { id: base.id ?? null, name: base.name ?? null, address: plain(base.address ?? null) };
}

function baseOf(entity: RecordEntity, id: Json | undefined, { db }: World): JsonObject | undefined {
  const row = typeof id === 'number' ? findRecordRow(db, entity, id) : undefined;
  return row && readRecord(row).base;
}

function notesOf(entity: Searched, id: number | string, { db }: World): Json[] {
  const column = NOTE_COLUMNS[entity];
  if (column === undefined) return [];
  return listNotesOf(db, column, id).map((note) => note.content ?? '');
}

function plain(value: Json): Json {
  return isObject(value) ? (value.value ?? null) : value;
}

function plainList(list: Json | undefined): Json[] {
  return Array.isArray(list) ? list.map(plain) : [];
}
