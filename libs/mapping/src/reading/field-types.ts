import {
  ADDRESS_PARTS,
  type FieldDefinition,
  type FieldType,
  type MappingPart,
  type VariableType,
} from '@manifold/contracts';

/** What the value of each type of field is to a variable; null: it cannot be mapped. */
const variableTypes: Record<FieldType, VariableType | null> = {
  varchar: 'text',
  varchar_auto: 'text',
  text: 'text',
  lead: 'text',
  address: 'text',
  phone: 'phone',
  int: 'number',
  double: 'number',
  user: 'number',
  org: 'number',
  people: 'number',
  deal: 'number',
  project: 'number',
  product: 'number',
  activity: 'number',
  pipeline: 'number',
  stage: 'number',
  projects_board: 'number',
  projects_phase: 'number',
  boolean: 'boolean',
  monetary: 'money',
  date: 'date',
  datetime: 'datetime',
  daterange: 'date_range',
  time: 'time',
  timerange: 'time_range',
  enum: 'option',
  status: 'option',
  visible_to: 'option',
  billing_frequency: 'option',
  price_list: 'option',
  varchar_options: 'option',
  set: 'multiple_options',
  emails: 'email_list',
  phones: 'phone_list',
  picture: null,
  json: null,
  deals: null,
  unknown: null,
};

/** The type of variable a field fills by nature; undefined when it cannot be mapped at all. */
export const variableTypeOf = (field: FieldDefinition): VariableType | undefined =>
  variableTypes[field.type] ?? undefined;

const channelParts = ['primary', 'list', 'work', 'home', 'mobile', 'other'] as const;

const parts: Partial<Record<FieldType, readonly MappingPart[]>> = {
  monetary: ['amount', 'currency'],
  daterange: ['start', 'end'],
  timerange: ['start', 'end'],
  emails: channelParts,
  phones: channelParts,
  address: ['value', ...ADDRESS_PARTS],
};

/** The parts a field can be split into. */
export const partsOf = (field: FieldDefinition): readonly MappingPart[] => parts[field.type] ?? [];

const references: ReadonlySet<FieldType> = new Set([
  ...(['user', 'org', 'people', 'deal', 'project', 'product', 'activity'] as const),
  ...(['pipeline', 'stage', 'projects_board', 'projects_phase'] as const),
]);

/** Whether the number a field holds is the id of a record. */
export const isReference = (field: FieldDefinition): boolean => references.has(field.type);
