import type {
  FieldValue,
  IdentityKey,
  PipedriveObject,
  PipedriveRecord,
} from '@manifold/contracts';
import type { RecordRegistry } from './tables.ts';

/** Clocks differ, and Pipedrive knows whole seconds only: reads begin this much before the last one did. */
export const CLOCK_MARGIN_MS = 10_000;

/** A kind of key an index can hold. */
export interface KeyKind {
  kind: Exclude<IdentityKey['kind'], 'pipedrive_id'>;
  /** Field code; of `domain` and `field` only. */
  field?: string | undefined;
}

/** One text for a kind of key, `email` or `domain:website`. */
export const keyName = ({ kind, field }: KeyKind): string => {
  if (kind === 'domain') return `domain:${field ?? 'website'}`;
  return kind === 'field' ? `field:${field ?? ''}` : kind;
};

export function readKeyName(name: string): KeyKind {
  const [kind = '', ...rest] = name.split(':');
  switch (kind) {
    case 'email':
    case 'phone':
    case 'name':
      return { kind };
    case 'domain':
    case 'field':
      return { kind, field: rest.join(':') };
    default:
      throw new Error(`${name} names no kind of key`);
  }
}

/** The field a kind of key stands in. */
export function fieldOf({ kind, field }: KeyKind): string {
  switch (kind) {
    case 'email':
      return 'emails';
    case 'phone':
      return 'phones';
    case 'name':
      return 'name';
    case 'domain':
      return field ?? 'website';
    case 'field':
      return field ?? '';
  }
}

/** The name of the key a step looks for; undefined where no index can help. */
export const nameOfKey = (key: IdentityKey): string | undefined =>
  key.kind === 'pipedrive_id' ? undefined : keyName(key);

/** More addresses than one record sensibly has. */
const MOST_KEYS = 50;

/** Every key of these kinds a record has. */
export const keysOf = (record: PipedriveRecord, names: readonly string[]): IdentityKey[] =>
  names
    .flatMap((name) => {
      const kind = readKeyName(name);
      return textsOf(record.fields[fieldOf(kind)]).map((value) => withValue(kind, value));
    })
    .slice(0, MOST_KEYS);

function withValue({ kind, field = '' }: KeyKind, value: string): IdentityKey {
  switch (kind) {
    case 'email':
    case 'phone':
    case 'name':
      return { kind, value };
    case 'domain':
    case 'field':
      return { kind, field, value };
  }
}

function textsOf(value: FieldValue | undefined): string[] {
  if (value === undefined || value === null) return [];
  const texts = Array.isArray(value)
    ? value.map((item) => (typeof item === 'object' ? item.value : String(item)))
    : [typeof value === 'object' ? String(value.value) : String(value)];
  return texts.filter((text) => text.trim() !== '');
}

export type TrackedObject = Exclude<PipedriveObject, 'user'>;

/** Users have no list of records of their own kind. */
export const isTrackable = (object: PipedriveObject): object is TrackedObject => object !== 'user';

/** Ids are numbers, those of leads UUIDs; anything else was made up. */
export const isRecordId = (id: string): boolean =>
  /^([1-9]\d{0,15}|[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12})$/.test(id);

/** Archived ones are in no list of the others, and exist all the same. */
export const isArchivable = (object: PipedriveObject): boolean =>
  object === 'deal' || object === 'lead';

/** Whether an index read that began then serves somebody who asked now. */
export const isFreshEnough = (
  { read_began_at }: Pick<RecordRegistry, 'read_began_at'>,
  needed: Date,
): boolean => read_began_at !== null && read_began_at >= needed;

/** Whether the index knows every record with a key of this name. */
export const coversKey = (
  registry: Pick<RecordRegistry, 'certified_until' | 'keys' | 'releasing'> | undefined,
  name: string,
): registry is RecordRegistry =>
  registry !== undefined &&
  !registry.releasing &&
  registry.certified_until !== null &&
  registry.keys.includes(name);

/** Nothing is covered and nothing read: as before the first scan. */
export const UNBUILT = {
  certified_until: null,
  read_began_at: null,
  read_cursor: null,
  partial_began_at: null,
  swept_until: null,
  sweep_cursor: null,
  sweep_began_at: null,
  sight: null,
  keys: [],
} satisfies Partial<RecordRegistry>;

const ALL = 'all';

/** What a connection sees: an administrator all of the company, anybody else a part of their own. */
export const sightOf = ({ id, is_admin }: { id: string; is_admin: boolean }): string =>
  is_admin ? ALL : id;

/** Whether one sees everything that was seen when an index was built. Less would make records look gone. */
export const seesAsMuch = (sight: string, built: string | null): boolean =>
  built === null || sight === ALL || sight === built;

export const marginBefore = (time: Date, marginMs = CLOCK_MARGIN_MS): Date =>
  new Date(time.getTime() - marginMs);

export type Tracking = 'BUILDING' | 'READY';

/** Ready when everything that is needed has been read once. */
export const decideTracking = (
  registry: Pick<RecordRegistry, 'certified_until' | 'keys' | 'wanted_keys' | 'releasing'>,
): Tracking =>
  registry.certified_until !== null &&
  !registry.releasing &&
  registry.wanted_keys.every((name) => registry.keys.includes(name))
    ? 'READY'
    : 'BUILDING';

interface Reader {
  kind: 'ORGANIZATION' | 'PERSONAL';
  is_admin: boolean;
  status: string;
}

/**
 * Whose credential reads by itself: the organization's, switched off or not; a personal one only where
 * the company is connected for nobody but persons.
 */
export function listReaders<Candidate extends Pick<Reader, 'kind'>>(
  candidates: readonly Candidate[],
): readonly Candidate[] {
  const organization = candidates.filter(({ kind }) => kind === 'ORGANIZATION');
  return organization.length > 0 ? organization : candidates;
}

/** Of those, the one that works and sees most. */
export const chooseReader = <Candidate extends Reader>(
  candidates: readonly Candidate[],
): Candidate | undefined =>
  listReaders(candidates).toSorted((one, other) => rankOf(other) - rankOf(one))[0];

const rankOf = (of: Reader): number => (of.status === 'ACTIVE' ? 2 : 0) + (of.is_admin ? 1 : 0);
