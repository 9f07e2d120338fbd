import {
  type FieldType,
  MappingSource,
  type PipedriveRecord,
  type VariableType,
} from '@manifold/contracts';

const T0 = Date.parse('2026-01-01T00:00:00Z');
const INDUSTRY = 'a'.repeat(40);
export const BUDGET = 'b'.repeat(40);

/** `2026-01-01T00:00:00Z` and so many seconds. */
export const at = (second: number): string => new Date(T0 + second * 1_000).toISOString();

export const personOf = (
  id: number,
  changes: { name?: string; email?: string; organization?: number | null; second?: number } = {},
): PipedriveRecord => ({
  object: 'person',
  id: String(id),
  updateTime: at(changes.second ?? 0),
  addTime: at(0),
  deleted: false,
  fields: {
    name: changes.name ?? `Person ${String(id).padStart(5, '0')}`,
    emails: [{ value: changes.email ?? `person${id}@Example.com`, label: 'work', primary: true }],
    phones: [{ value: `+49 30 ${id}`, label: 'mobile', primary: true }],
    org_id: changes.organization === undefined ? null : changes.organization,
    [INDUSTRY]: 1 + (id % 2),
    [BUDGET]: { value: id * 10, currency: 'EUR' },
    secret_note: 'never asked for',
  },
});

export const organizationOf = (id: number, second = 0): PipedriveRecord => ({
  object: 'organization',
  id: String(id),
  updateTime: at(second),
  addTime: at(0),
  deleted: false,
  fields: { name: `Organization ${id}`, website: `https://org${id}.example.com` },
});

type Target = [object: 'contact' | 'account', field: string, type: VariableType];

const row = (id: string, source: object, [object, field, type]: Target) => ({
  ...{ id, source },
  target: { object, field, type },
});

const ROWS = [
  row('1', { object: 'person', field: 'name' }, ['contact', 'name', 'text']),
  row('2', { object: 'person', field: 'emails', part: 'primary' }, ['contact', 'email', 'email']),
  row('3', { object: 'person', field: 'emails' }, ['contact', 'emails', 'email_list']),
  row('4', { object: 'person', field: 'phones', part: 'primary' }, ['contact', 'phone', 'phone']),
  row('5', { object: 'person', field: INDUSTRY }, ['contact', 'industry', 'option']),
  row('6', { object: 'person', field: BUDGET }, ['contact', 'budget', 'money']),
  row('7', { object: 'organization', field: 'name' }, ['account', 'name', 'text']),
  row('8', { object: 'organization', field: 'website' }, ['account', 'website', 'text']),
];

const field = (object: string, code: string, name: string, type: FieldType) => ({
  ...{ object, code, name, type },
  custom: code.length === 40,
});

const CATALOGUE = [
  field('person', 'name', 'Name', 'varchar'),
  field('person', 'emails', 'Email', 'emails'),
  field('person', 'phones', 'Phone', 'phones'),
  {
    ...field('person', INDUSTRY, 'Industry', 'enum'),
    options: [
      { id: 1, label: 'Retail' },
      { id: 2, label: 'Farming' },
    ],
  },
  field('person', BUDGET, 'Budget', 'monetary'),
  field('organization', 'name', 'Name', 'varchar'),
  field('organization', 'website', 'Website', 'varchar'),
];

/** A mapping of a few fields that overwrites. */
export const sourceOf = (): MappingSource =>
  MappingSource.parse({
    direction: 'from_pipedrive',
    policy: { existing: 'overwrite', ignoreEmpty: false },
    rows: ROWS,
    catalogue: CATALOGUE,
  });
