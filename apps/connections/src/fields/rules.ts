import type { FieldDefinition, PipedriveObject } from '@manifold/contracts';

/** The objects whose fields are known. */
export const CATALOGUED = ['person', 'organization', 'deal', 'lead'] as const;
export type CataloguedObject = (typeof CATALOGUED)[number];

export const isCatalogued = (object: PipedriveObject): object is CataloguedObject =>
  CATALOGUED.some((known) => known === object);

/** A catalogue is read again when it is this old. */
const READ_AGAIN_MS = 24 * 3_600_000;
/** However many records name unknown fields, it is not read more often than this. */
const SHORTEST_PAUSE_MS = 60_000;

export interface CatalogueAge {
  object: PipedriveObject;
  read_at: Date;
  is_stale: boolean;
}

/** Which catalogues should be read now. */
export const listDue = (ages: readonly CatalogueAge[], now: Date): CataloguedObject[] =>
  CATALOGUED.filter((object) => {
    const age = ages.find((known) => known.object === object);
    if (age === undefined) return true;
    const passed = now.getTime() - age.read_at.getTime();
    return passed >= (age.is_stale ? SHORTEST_PAUSE_MS : READ_AGAIN_MS);
  });

/** When a catalogue found stale now may be read again. */
export const readAgainAt = (readAt: Date, now: Date): Date =>
  new Date(Math.max(now.getTime(), readAt.getTime() + SHORTEST_PAUSE_MS));

export interface CatalogueDifference {
  added: string[];
  changed: string[];
  removed: string[];
}

/** Codes of the fields that came, changed (name, type, options) or went. */
export function compareCatalogues(
  before: readonly FieldDefinition[],
  after: readonly FieldDefinition[],
): CatalogueDifference {
  const earlier = new Map(before.map((field) => [field.code, fingerprint(field)]));
  const later = new Set(after.map((field) => field.code));
  return {
    added: after.filter(({ code }) => !earlier.has(code)).map(({ code }) => code),
    changed: after
      .filter((field) => earlier.has(field.code) && earlier.get(field.code) !== fingerprint(field))
      .map(({ code }) => code),
    removed: [...earlier.keys()].filter((code) => !later.has(code)),
  };
}

const fingerprint = ({
  name,
  type,
  custom,
  readOnly,
  options,
  subfields,
}: FieldDefinition): string =>
  JSON.stringify([name, type, custom, readOnly ?? false, options ?? [], subfields ?? []]);

export const isDifferent = ({ added, changed, removed }: CatalogueDifference): boolean =>
  added.length + changed.length + removed.length > 0;

/** Custom fields a record holds and the catalogue does not. */
export const namesUnknownField = (
  keys: readonly string[],
  catalogue: readonly FieldDefinition[],
): boolean => {
  const known = new Set(catalogue.map(({ code }) => code));
  return keys.some((key) => /^[0-9a-f]{40}$/.test(key) && !known.has(key));
};

/** The fields that meet every condition given, in their order. */
export function selectFields(
  fields: readonly FieldDefinition[],
  filter: {
    custom?: boolean | null | undefined;
    type?: readonly string[] | null | undefined;
    search?: string | null | undefined;
  },
): FieldDefinition[] {
  const { custom, type } = filter;
  const search = filter.search?.toLowerCase() ?? '';
  return fields.filter(
    (field) =>
      (custom == null || field.custom === custom) &&
      (type == null || type.includes(field.type)) &&
      (field.name.toLowerCase().includes(search) || field.code.includes(search)),
  );
}
