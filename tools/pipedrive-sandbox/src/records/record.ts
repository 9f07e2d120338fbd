import type { NumberedField } from '../fields/catalogue.ts';
import { checkAddress } from '../fields/custom-values.ts';
import { type Issue, refused } from '../http/problem.ts';
import { isObject, type Json, type JsonObject, textOf } from '../json.ts';
import type { World } from '../world.ts';

export type RecordEntity = 'person' | 'organization';

/** A record with its two halves parsed: built-in properties as served, custom values by code. */
export interface StoredRecord {
  id: number;
  base: JsonObject;
  custom: JsonObject;
  deleted: boolean;
}

/** What turning a body into a record may look at. */
export interface BuildContext {
  world: World;
  userId: number;
}

const VISIBILITIES = [1, 3, 5, 7];
const CONTACT_SYNC_KEYS = ['postal_address', 'notes', 'im', 'birthday', 'job_title'];

/**
 * Applies a body to the built-in part of a record; `before` is undefined for a new one. Collects every issue. Arrays
 * are replaced as a whole, as v2 does.
 */
export function buildBase(
  entity: RecordEntity,
  before: JsonObject | undefined,
  body: JsonObject,
  context: BuildContext,
): { base: JsonObject; issues: Issue[] } {
  const issues: Issue[] = [];
  const base = entity === 'person' ? emptyPerson(context) : emptyOrganization(context);
  Object.assign(base, before);
  if (entity === 'person') applyPerson(base, body, issues, context);
  else applyOrganization(base, body, issues, before === undefined);
  applyCommon(entity, base, body, { issues, context });
  return { base, issues };
}

function emptyPerson({ userId }: BuildContext): JsonObject {
  return {
    id: 0,
    name: '',
    first_name: null,
    last_name: null,
    owner_id: userId,
    org_id: null,
    add_time: '',
    update_time: '',
    emails: [],
    phones: [],
    is_deleted: false,
    visible_to: 3,
    label_ids: [],
    picture_id: null,
  };
}

function emptyOrganization({ userId }: BuildContext): JsonObject {
  return {
    id: 0,
    name: '',
    owner_id: userId,
    add_time: '',
    update_time: '',
    address: null,
    is_deleted: false,
    visible_to: 3,
    label_ids: [],
    website: null,
    linkedin: null,
    industry: null,
    annual_revenue: null,
    employee_count: null,
  };
}

function applyPerson(
  base: JsonObject,
  body: JsonObject,
  issues: Issue[],
  { world }: BuildContext,
): void {
  const contactSync = CONTACT_SYNC_KEYS.find((key) => body[key] !== undefined);
  if (contactSync !== undefined)
    throw refused(403, `Contact sync is not enabled for this company: ${contactSync}`);
  applyName(base, body, issues);
  if (body.org_id !== undefined) {
    base.org_id = body.org_id;
    const { org_id: orgId } = body;
    const sql = 'select 1 from organization where id = ? and deleted = 0';
    if (typeof orgId === 'number' && world.db.find(sql, orgId) === undefined)
      issues.push({ key: 'org_id', message: 'Organization not found' });
  }
  for (const key of ['emails', 'phones'] as const)
    if (Array.isArray(body[key])) base[key] = checkContacts(key, body[key], issues);
}

/** `name` is split again whenever it is written; the two parts are joined when they are. */
function applyName(base: JsonObject, body: JsonObject, issues: Issue[]): void {
  const { name, first_name: first, last_name: last } = body;
  if (typeof name === 'string') {
    const [head = '', ...rest] = name.trim().split(/\s+/);
    base.name = name.trim();
    base.first_name = head || null;
    base.last_name = rest.join(' ') || null;
  } else if (first !== undefined || last !== undefined) {
    base.first_name = first ?? base.first_name ?? null;
    base.last_name = last ?? base.last_name ?? null;
    base.name = `${textOf(base.first_name)} ${textOf(base.last_name)}`.trim();
  }
  if (base.name === '') issues.push({ key: 'name', message: 'Required' });
}

/** Labels default to "work"; without a primary the first becomes it. */
function checkContacts(key: string, list: Json[], issues: Issue[]): JsonObject[] {
  const items = list.filter(isObject);
  if (items.some((item) => typeof item.value !== 'string'))
    issues.push({ key, message: 'Required value' });
  const primaries = items.filter((item) => item.primary === true).length;
  if (primaries > 1) issues.push({ key, message: 'Only one item can be primary' });
  return items.map(({ value = null, primary, label }, at) => ({
    value,
    primary: primaries === 0 ? at === 0 : primary === true,
    label: typeof label === 'string' && label !== '' ? label : 'work',
  }));
}

function applyOrganization(
  base: JsonObject,
  body: JsonObject,
  issues: Issue[],
  creating: boolean,
): void {
  if (typeof body.name === 'string') base.name = body.name.trim();
  if (base.name === '' && (creating || body.name !== undefined))
    issues.push({ key: 'name', message: 'Required' });
  for (const key of ['website', 'linkedin', 'industry', 'annual_revenue', 'employee_count'])
    if (body[key] !== undefined) base[key] = body[key];
  if (body.address === null) base.address = null;
  else if (isObject(body.address)) {
    const checked = checkAddress(body.address);
    if ('wrong' in checked) issues.push({ key: 'address', message: checked.wrong });
    else base.address = checked.value;
  }
}

function applyCommon(
  entity: RecordEntity,
  base: JsonObject,
  body: JsonObject,
  { issues, context }: { issues: Issue[]; context: BuildContext },
): void {
  const { world } = context;
  if (body.owner_id !== undefined) {
    base.owner_id = body.owner_id;
    const sql = 'select 1 from user where id = ?';
    if (typeof body.owner_id === 'number' && world.db.find(sql, body.owner_id) === undefined)
      issues.push({ key: 'owner_id', message: 'User not found' });
  }
  if (body.visible_to !== undefined) {
    base.visible_to = body.visible_to;
    if (!VISIBILITIES.some((value) => value === body.visible_to))
      issues.push({ key: 'visible_to', message: `Expected ${VISIBILITIES.join(' | ')}` });
  }
  if (body.label_ids !== undefined) {
    base.label_ids = body.label_ids;
    if (!areOptions(world.fields.find(entity, 'label_ids'), body.label_ids))
      issues.push({ key: 'label_ids', message: 'Invalid option' });
  }
  const industry = typeof body.industry === 'number' ? [body.industry] : [];
  if (!areOptions(world.fields.find(entity, 'industry'), industry))
    issues.push({ key: 'industry', message: 'Invalid option' });
}

function areOptions(field: NumberedField | undefined, ids: Json): boolean {
  const known = new Set<Json>(field?.options?.map((option) => option.id));
  return Array.isArray(ids) && ids.every((id) => known.has(id));
}
