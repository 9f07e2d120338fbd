import type { FieldEntity } from '../fields/field.ts';

/** The nouns of REST v2 that are kept, listed and changed alike. Each has a table of its name. */
export const RECORD_ENTITIES = [
  'person',
  'organization',
  'deal',
  'product',
  'activity',
  'pipeline',
  'stage',
] as const;

export type RecordEntity = (typeof RECORD_ENTITIES)[number];

/** Properties that lists filter or sort by: each is a column, with an index, beside the record's text. */
export const COLUMNS: Record<RecordEntity, readonly string[]> = {
  person: ['owner_id', 'org_id'],
  organization: ['owner_id', 'org_id'],
  deal: ['owner_id', 'person_id', 'org_id', 'pipeline_id', 'stage_id', 'status', 'is_archived'],
  product: ['owner_id', 'name'],
  activity: ['owner_id', 'deal_id', 'lead_id', 'person_id', 'org_id', 'done', 'due_date'],
  pipeline: [],
  stage: ['pipeline_id', 'order_nr'],
};

/** Columns that hold text; the empty text stands for null, so that they sort. */
export const TEXT_COLUMNS: ReadonlySet<string> = new Set(['status', 'name', 'lead_id', 'due_date']);

/** Whose custom fields the records have; undefined has none. */
export const CUSTOM_FIELDS: Record<RecordEntity, FieldEntity | undefined> = {
  person: 'person',
  organization: 'organization',
  deal: 'deal',
  product: 'product',
  activity: undefined,
  pipeline: undefined,
  stage: undefined,
};
