import type { FieldDefinition, PipedriveObject } from '@manifold/contracts';

/** The objects whose fields are known. */
export const CATALOGUED = [
  ...['person', 'organization', 'deal', 'lead'],
  ...['activity', 'product', 'note'],
] as const satisfies readonly PipedriveObject[];
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

/** How a field can differ from the reading before. */
export const DIFFERENCE_KINDS = [
  ...['added', 'renamed', 'retyped'],
  ...['option_added', 'option_renamed', 'option_removed', 'removed'],
] as const;
export type DifferenceKind = (typeof DIFFERENCE_KINDS)[number];

/** One difference: names, labels or types before and after, as the kind says. */
export interface FieldDifference {
  kind: DifferenceKind;
  code: string;
  /** The field's name now, or the last one it had. */
  name: string;
  optionId: string | null;
  before: string | null;
  after: string | null;
}

export interface CatalogueDifference {
  added: string[];
  changed: string[];
  removed: string[];
  /** The same, one by one. */
  differences: FieldDifference[];
}

/** What came, changed (name, type, options) or went. */
export function compareCatalogues(
  before: readonly FieldDefinition[],
  after: readonly FieldDefinition[],
): CatalogueDifference {
  const earlier = new Map(before.map((field) => [field.code, field]));
  const later = new Set(after.map((field) => field.code));
  const added = after.filter(({ code }) => !earlier.has(code));
  const removed = before.filter(({ code }) => !later.has(code));
  const changed = after.flatMap((field) => {
    const former = earlier.get(field.code);
    return former === undefined || fingerprint(former) === fingerprint(field)
      ? []
      : [{ former, field }];
  });
  return {
    added: added.map(({ code }) => code),
    changed: changed.map(({ field }) => field.code),
    removed: removed.map(({ code }) => code),
    differences: [
      ...added.map((field) => differenceOf(field, 'added', { after: field.name })),
      ...changed.flatMap(({ former, field }) => compareFields(former, field)),
      ...removed.map((field) => differenceOf(field, 'removed', { before: field.name })),
    ],
  };
}

const differenceOf = (
  { code, name }: FieldDefinition,
  kind: DifferenceKind,
  what: { before?: string; after?: string; optionId?: string },
): FieldDifference => ({
  kind,
  code,
  name,
  optionId: what.optionId ?? null,
  before: what.before ?? null,
  after: what.after ?? null,
});

function compareFields(former: FieldDefinition, field: FieldDefinition): FieldDifference[] {
  const differences: FieldDifference[] = [];
  if (former.name !== field.name) {
    differences.push(differenceOf(field, 'renamed', { before: former.name, after: field.name }));
  }
  if (former.type !== field.type) {
    differences.push(differenceOf(field, 'retyped', { before: former.type, after: field.type }));
  }
  return [...differences, ...compareOptions(former, field)];
}

function compareOptions(former: FieldDefinition, field: FieldDefinition): FieldDifference[] {
  const earlier = optionsOf(former);
  const later = optionsOf(field);
  const came = [...later].flatMap(([optionId, after]) => {
    const before = earlier.get(optionId);
    if (before === undefined) return [differenceOf(field, 'option_added', { optionId, after })];
    if (before === after) return [];
    return [differenceOf(field, 'option_renamed', { optionId, before, after })];
  });
  const went = [...earlier]
    .filter(([optionId]) => !later.has(optionId))
    .map(([optionId, before]) => differenceOf(field, 'option_removed', { optionId, before }));
  return [...came, ...went];
}

const optionsOf = ({ options = [] }: FieldDefinition): Map<string, string> =>
  new Map(options.map(({ id, label }) => [String(id), label]));

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

/** How long differences are kept to be looked at. */
const KEEP_CHANGES_MS = 90 * 24 * 3_600_000;

export const oldestKept = (now: Date): Date => new Date(now.getTime() - KEEP_CHANGES_MS);

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

/** A catalogue with a field as it is now, in its old place or at the end. */
export const withField = (
  fields: readonly FieldDefinition[],
  field: FieldDefinition,
): FieldDefinition[] =>
  fields.some(({ code }) => code === field.code)
    ? fields.map((known) => (known.code === field.code ? field : known))
    : [...fields, field];
