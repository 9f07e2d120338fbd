import { escape, pageOf } from '../http/html-page.ts';
import type { Incoming } from '../http/incoming.ts';
import { html, type Reply } from '../http/reply.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { findLead } from '../leads/store.ts';
import { findRecordRow, readRecord } from '../records/store.ts';
import type { World } from '../world.ts';

/** Paths that programs call; everything else is Pipedrive's web application. */
const PROGRAMS = /^\/(api|v1|oauth|control)(\/|$)|^\/readyz$/;

/**
 * What a browser sees: a small page for each record, so that links lead somewhere. Undefined for what
 * programs call. Costs nothing and stands in no ledger.
 */
export function showPage({ method, path }: Incoming, world: World): Reply | undefined {
  if (method !== 'GET' || PROGRAMS.test(path)) return undefined;
  if (path === '/favicon.ico') return { status: 204, contentType: 'image/x-icon', body: '' };
  const found = findShown(path, world);
  if (found === undefined) return html(404, pageOf('Not found', '<p>There is no such record.</p>'));
  const rows = Object.entries(found.fields).map(
    ([name, value]) => `<dt>${escape(name)}</dt><dd>${escape(shownAs(value))}</dd>`,
  );
  const kind = `<p>${found.kind} in ${escape(world.company.name)}</p>`;
  return html(200, pageOf(escape(found.title), `${kind}<dl>${rows.join('')}</dl>`));
}

interface Shown {
  kind: 'Person' | 'Organization' | 'Lead';
  title: string;
  fields: JsonObject;
}

function findShown(path: string, world: World): Shown | undefined {
  const [, entity, recordId, leadId] =
    /^\/(?:(person|organization)\/(\d{1,15})|leads\/inbox\/([0-9a-f-]{36}))$/.exec(path) ?? [];
  if (entity === 'person' || entity === 'organization') {
    const row = findRecordRow(world.db, entity, Number(recordId));
    const record = row && readRecord(row);
    if (record === undefined || record.deleted) return undefined;
    return entity === 'person'
      ? shown('Person', record.base, ['emails', 'phones', 'org_id', 'owner_id', 'update_time'])
      : shown('Organization', record.base, ['address', 'owner_id', 'update_time']);
  }
  const lead = leadId === undefined ? undefined : findLead(world.db, leadId);
  const names = ['value', 'person_id', 'organization_id', 'owner_id', 'update_time'];
  return lead && shown('Lead', lead.base, names);
}

function shown(kind: Shown['kind'], base: JsonObject, names: readonly string[]): Shown {
  const title = shownAs(kind === 'Lead' ? base.title : base.name);
  const fields = Object.fromEntries(
    ['id', ...names].map((name) => [name, base[name] ?? null] as const),
  );
  return { kind, title, fields };
}

function shownAs(value: Json | undefined): string {
  if (value === null || value === undefined) return '–';
  if (Array.isArray(value)) return value.length === 0 ? '–' : value.map(shownAs).join(', ');
  if (!isObject(value)) return String(value);
  if (value.value !== undefined) return shownAs(value.value);
  if (value.amount === undefined) return JSON.stringify(value);
  return `${shownAs(value.amount)} ${shownAs(value.currency)}`;
}
