import type {
  FieldDefinition,
  FieldType,
  MappingPart,
  MappingRow,
  MappingSource,
  VariableType,
} from '@manifold/contracts';

/** The code of a custom field. */
export const custom = (number: number): string => number.toString(16).padStart(40, '0');

const options = ['Hot', 'Warm', 'Cold'].map((label, index) => ({ id: index + 1, label }));
const answers = ['Yes', 'No', 'Unsure'].map((label, index) => ({ id: index + 1, label }));
const statuses = ['subscribed', 'unsubscribed', 'no_consent', 'archived'].map((id) => ({
  id,
  label: id,
}));

interface Field {
  code: string;
  type: FieldType;
  options?: FieldDefinition['options'];
  /** Variable, its type, and the part it takes. */
  to: readonly (readonly [string, VariableType, MappingPart?])[];
}

const builtIn: Field[] = [
  { code: 'name', type: 'varchar', to: [['name', 'text']] },
  { code: 'first_name', type: 'varchar', to: [['first_name', 'text']] },
  { code: 'last_name', type: 'varchar', to: [['last_name', 'text']] },
  { code: 'emails', type: 'emails', to: [['email', 'email', 'primary']] },
  { code: 'phones', type: 'phones', to: [['phones', 'phone_list']] },
  { code: 'job_title', type: 'varchar', to: [['job_title', 'text']] },
  { code: 'notes', type: 'text', to: [['notes', 'text']] },
  { code: 'birthday', type: 'date', to: [['birthday', 'date']] },
  { code: 'add_time', type: 'datetime', to: [['known_since', 'datetime']] },
  { code: 'org_id', type: 'org', to: [['organization', 'number']] },
  { code: 'owner_id', type: 'user', to: [['owner', 'number']] },
  { code: 'label_ids', type: 'set', options, to: [['labels', 'text']] },
  { code: 'visible_to', type: 'visible_to', options, to: [['visibility', 'option']] },
  {
    code: 'postal_address',
    type: 'address',
    to: [
      ['address', 'text', 'value'],
      ['city', 'text', 'locality'],
    ],
  },
];

const customs: Field[] = [
  ...Array.from(
    { length: 6 },
    (_, index): Field => ({
      code: custom(index + 1),
      type: 'varchar',
      to: [[`text_${index + 1}`, 'text']],
    }),
  ),
  { code: custom(7), type: 'text', to: [['story', 'text']] },
  { code: custom(8), type: 'double', to: [['score', 'number']] },
  { code: custom(9), type: 'double', to: [['visits', 'number']] },
  { code: custom(10), type: 'double', to: [['rating', 'text']] },
  { code: custom(11), type: 'int', to: [['age', 'number']] },
  { code: custom(12), type: 'monetary', to: [['budget', 'money']] },
  {
    code: custom(13),
    type: 'monetary',
    to: [
      ['deal_size', 'number', 'amount'],
      ['deal_size_currency', 'text', 'currency'],
    ],
  },
  { code: custom(14), type: 'monetary', to: [['revenue', 'number']] },
  { code: custom(15), type: 'date', to: [['signed', 'date']] },
  { code: custom(16), type: 'date', to: [['renews', 'datetime']] },
  {
    code: custom(17),
    type: 'daterange',
    to: [
      ['contract_start', 'date', 'start'],
      ['contract_end', 'date', 'end'],
    ],
  },
  { code: custom(18), type: 'time', to: [['call_at', 'time']] },
  { code: custom(19), type: 'timerange', to: [['hours', 'time_range']] },
  { code: custom(20), type: 'enum', options, to: [['interest', 'option']] },
  { code: custom(21), type: 'enum', options, to: [['interests', 'multiple_options']] },
  { code: custom(22), type: 'enum', options: answers, to: [['is_customer', 'boolean']] },
  { code: custom(23), type: 'set', options, to: [['topics', 'multiple_options']] },
  { code: custom(24), type: 'phone', to: [['direct_line', 'phone']] },
  { code: custom(25), type: 'boolean', to: [['active', 'boolean']] },
];

/** The status decides a permission, not a variable. */
const status: Field = { code: 'marketing_status', type: 'status', options: statuses, to: [] };

export const fields: readonly Field[] = [...builtIn, ...customs, status];

const rowsOf = ({ code, to }: Field): MappingRow[] =>
  to.map(([variable, type, part]) => ({
    id: variable,
    source: { object: 'person', field: code, ...(part === undefined ? {} : { part }) },
    target: { object: 'contact', field: variable, type },
  }));

/** A person of 40 fields becomes a contact, as a sync does it. */
export const mappingSource: MappingSource = {
  direction: 'from_pipedrive',
  rows: [
    ...fields.flatMap(rowsOf),
    {
      id: 'may_email',
      source: { object: 'person', field: 'marketing_status' },
      target: { object: 'permission', field: 'email' },
    },
  ],
  policy: {
    existing: 'overwrite',
    createMissing: true,
    ignoreEmpty: false,
    protected: [],
    protectFilled: false,
  },
  catalogue: fields.map(({ code, type, options: known }) => ({
    object: 'person',
    code,
    name: code,
    type,
    custom: code.length === 40,
    ...(known === undefined ? {} : { options: known }),
  })),
};
