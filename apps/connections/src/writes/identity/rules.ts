import type {
  FieldValue,
  IdentityKey,
  PipedriveObject,
  PipedriveRecord,
} from '@manifold/contracts';
import { carries, isSameValue } from '../diff/rules.ts';

/** The text of an identity key as it is hashed: spelling that means nothing is gone. */
export function keyText(object: PipedriveObject, key: IdentityKey): string {
  switch (key.kind) {
    case 'pipedrive_id':
      return `${object}|id|${key.value}`;
    case 'email':
      // a plus tag makes another address
      return `${object}|email|${key.value.trim().toLowerCase()}`;
    case 'phone':
      return `${object}|phone|${phoneText(key.value)}`;
    case 'domain':
      return `${object}|domain|${key.field}|${domainText(key.value)}`;
    case 'name':
      return `${object}|name|${key.value.trim().toLowerCase().replaceAll(/\s+/g, ' ')}`;
    case 'field':
      return `${object}|field|${key.field}|${key.value.trim()}`;
  }
}

/** The key of work without an identity: what caused it. */
export const causeKeyText = (
  step: { object: PipedriveObject; name: string },
  cause: { service: string; type: string; id: string },
): string => `${step.object}|cause|${cause.service}|${cause.type}|${cause.id}|${step.name}`;

/** Compared on our side, because a search index can be behind or match more than asked. */
export function hasKey(record: PipedriveRecord, key: IdentityKey): boolean {
  const wanted = keyText(record.object, key);
  const same = (value: string) => keyText(record.object, { ...key, value }) === wanted;
  switch (key.kind) {
    case 'pipedrive_id':
      return record.id === key.value;
    case 'email':
      return textsOf(record.fields['emails']).some(same);
    case 'phone':
      return textsOf(record.fields['phones']).some(same);
    case 'domain':
    case 'name':
      return textsOf(record.fields['name']).some(same);
    case 'field':
      return textsOf(record.fields[key.field]).some(same);
  }
}

/** Digits, and the plus that makes a number international; what stands between them is spelling. */
function phoneText(value: string): string {
  const text = value.trim().replace(/^\(?00/, '+');
  return `${text.startsWith('+') ? '+' : ''}${text.replaceAll(/\D/g, '')}`;
}

/** The host of a domain or of an address in it, without `www`. */
function domainText(value: string): string {
  const text = value.trim().toLowerCase();
  const host = text.replace(/^[a-z][a-z0-9+.-]*:\/\//, '').split(/[/?#]/)[0] ?? '';
  return host
    .replace(/^[^@]*@/, '')
    .replace(/:\d+$/, '')
    .replace(/\.$/, '')
    .replace(/^www\./, '');
}

function textsOf(value: FieldValue | undefined): string[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) {
    return value.map((item) => (typeof item === 'object' ? item.value : String(item)));
  }
  return [typeof value === 'object' ? String(value.value) : String(value)];
}

/** Which objects a kind of key can find; undefined where any can. */
const searchable: Record<IdentityKey['kind'], readonly PipedriveObject[] | undefined> = {
  pipedrive_id: undefined,
  email: ['person'],
  phone: ['person'],
  name: ['organization'],
  domain: ['person', 'organization', 'deal', 'product'],
  field: ['person', 'organization', 'deal', 'lead', 'product'],
};

export const canIdentify = (object: PipedriveObject, { kind }: IdentityKey): boolean =>
  searchable[kind]?.includes(object) ?? true;

/** Custom fields of these types are in Pipedrive's search index. */
const indexedTypes = ['address', 'varchar', 'text', 'varchar_auto', 'double', 'monetary', 'phone'];
const indexedFields = ['name', 'title', 'code', 'address', 'notes', 'email', 'phone'];

/** Whether Pipedrive can be asked for records with the key. `fields`: the catalogue of the object. */
export function isSearchable(
  key: IdentityKey,
  fields: readonly { code: string; custom: boolean; type: string }[],
): boolean {
  if (key.kind === 'domain') return false;
  if (key.kind !== 'field') return true;
  const known = fields.find(({ code }) => code === key.field);
  // without a catalogue a custom field has 40 characters, and Pipedrive says what is wrong with it
  if (known === undefined) return key.field.length === 40 || indexedFields.includes(key.field);
  return known.custom ? indexedTypes.includes(known.type) : indexedFields.includes(key.field);
}

/** The objects of which Pipedrive can make one record of two. */
export const isMergeable = (object: PipedriveObject): object is MergeableObject =>
  object === 'person' || object === 'organization' || object === 'deal';

export type MergeableObject = 'person' | 'organization' | 'deal';

/** What a create sent, as far as its record can be known by it. */
export interface Sent {
  stepId: string;
  identity: readonly IdentityKey[];
  fields: Readonly<Record<string, FieldValue>>;
  /** A field and a value no other record has. */
  mark?: { code: string; value: string } | undefined;
}

export const carriesMark = (record: PipedriveRecord, mark: Sent['mark']): boolean =>
  mark !== undefined && record.fields[mark.code] === mark.value;

/**
 * Whether a record is the one a create made, or would have made: a lead by the mark it carries,
 * others by their identity, and what has none by everything that was sent.
 */
export function isSent(record: PipedriveRecord, sent: Sent): boolean {
  if (record.object === 'lead') return record.fields['origin_id'] === sent.stepId;
  const keys = sent.identity.filter(({ kind }) => kind !== 'pipedrive_id');
  return keys.length > 0 ? keys.some((key) => hasKey(record, key)) : carries(record, sent.fields);
}

/** Whether only what it holds tells the record of a create: another create may have sent the same. */
export const isKnownByContent = (
  object: PipedriveObject,
  identity: readonly IdentityKey[],
): boolean => object !== 'lead' && identity.every(({ kind }) => kind === 'pipedrive_id');

const parents = ['deal_id', 'lead_id', 'person_id', 'org_id'];

/** Whether a note or activity stands at the same records as one that was sent. */
export function hasSameParent(record: PipedriveRecord, fields: Sent['fields']): boolean {
  if (record.object !== 'note' && record.object !== 'activity') return false;
  const given = parents.filter((code) => (fields[code] ?? null) !== null);
  return (
    given.length > 0 &&
    given.every((code) => isSameValue(record.fields[code] ?? null, fields[code] ?? null))
  );
}
