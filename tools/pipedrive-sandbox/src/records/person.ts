import type { Issue } from '../http/problem.ts';
import { refused } from '../http/problem.ts';
import { isObject, type Json, type JsonObject, textOf } from '../json.ts';
import { applyLabels, applyLinks, applyVisibility, type BuildContext, type Kind } from './kind.ts';

const CONTACT_SYNC_KEYS = ['postal_address', 'notes', 'im', 'birthday', 'job_title'];

/** Arrays are replaced as a whole, as v2 does. */
export const person: Kind = {
  empty: ({ userId }) => ({
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
  }),
  apply: applyPerson,
};

function applyPerson(
  base: JsonObject,
  body: JsonObject,
  _: JsonObject | undefined,
  context: BuildContext,
): void {
  const contactSync = CONTACT_SYNC_KEYS.find((key) => body[key] !== undefined);
  if (contactSync !== undefined)
    throw refused(403, `Contact sync is not enabled for this company: ${contactSync}`);
  applyName(base, body, context.issues);
  applyLinks(base, body, ['owner_id', 'org_id'], context);
  for (const key of ['emails', 'phones'] as const)
    if (Array.isArray(body[key])) base[key] = checkContacts(key, body[key], context.issues);
  applyVisibility(base, body, context);
  applyLabels('person', base, body, context);
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
