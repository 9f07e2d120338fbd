import type {
  FieldValue,
  IdentityKey,
  PipedriveObject,
  PipedriveRecord,
} from '@manifold/contracts';
import { carries } from '../diff/rules.ts';

/** The text of an identity key as it is hashed: spelling that means nothing is gone. */
export function keyText(object: PipedriveObject, key: IdentityKey): string {
  switch (key.kind) {
    case 'pipedrive_id':
      return `${object}|id|${key.value}`;
    case 'email':
      // a plus tag makes another address
      return `${object}|email|${key.value.trim().toLowerCase()}`;
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
    case 'name':
      return textsOf(record.fields['name']).some(same);
    case 'field':
      return textsOf(record.fields[key.field]).some(same);
  }
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
  name: ['organization'],
  field: ['person', 'organization', 'deal', 'lead', 'product'],
};

export const canIdentify = (object: PipedriveObject, { kind }: IdentityKey): boolean =>
  searchable[kind]?.includes(object) ?? true;

/**
 * Whether a record is the one a create made, or would have made: a lead by the mark it carries,
 * others by their identity, and what has none by everything that was sent.
 */
export function isSent(
  record: PipedriveRecord,
  sent: {
    stepId: string;
    identity: readonly IdentityKey[];
    fields: Readonly<Record<string, FieldValue>>;
  },
): boolean {
  if (record.object === 'lead') return record.fields['origin_id'] === sent.stepId;
  const keys = sent.identity.filter(({ kind }) => kind !== 'pipedrive_id');
  return keys.length > 0 ? keys.some((key) => hasKey(record, key)) : carries(record, sent.fields);
}
