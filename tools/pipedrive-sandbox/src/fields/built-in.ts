import { PLAIN, type Row } from './built-in-plain.ts';
import type { Field, FieldEntity, FieldOption } from './field.ts';

const COUNTS: Row[] = [
  ['next_activity_id', 'Next activity', 'activity', 'optional'],
  ['last_activity_id', 'Last activity', 'activity', 'optional'],
  ['open_deals_count', 'Open deals', 'int', 'optional'],
  ['closed_deals_count', 'Closed deals', 'int', 'optional'],
  ['won_deals_count', 'Won deals', 'int', 'optional'],
  ['lost_deals_count', 'Lost deals', 'int', 'optional'],
  ['activities_count', 'Total activities', 'int', 'optional'],
  ['done_activities_count', 'Done activities', 'int', 'optional'],
  ['undone_activities_count', 'Activities to do', 'int', 'optional'],
  ['email_messages_count', 'Email messages count', 'int', 'optional'],
];

const RECORD: Row[] = [
  ['id', 'ID', 'int'],
  ['name', 'Name', 'varchar'],
  ['label_ids', 'Labels', 'set'],
  ['owner_id', 'Owner', 'user'],
  ['add_time', 'Created', 'date'],
  ['update_time', 'Update time', 'date'],
  ['visible_to', 'Visible to', 'visible_to'],
];

// "phone" is the one of these two codes that Pipedrive's own example shows
const BUILT_IN: Record<FieldEntity, Row[]> = {
  person: [
    ...RECORD,
    ['first_name', 'First name', 'varchar'],
    ['last_name', 'Last name', 'varchar'],
    ['phone', 'Phone', 'phone'],
    ['email', 'Email', 'varchar'],
    ['org_id', 'Organization', 'org'],
    ['picture_id', 'Profile picture', 'picture'],
    ['last_incoming_mail_time', 'Last email received', 'date', 'optional'],
    ['last_outgoing_mail_time', 'Last email sent', 'date', 'optional'],
    ['marketing_status', 'Marketing status', 'varchar_options', 'optional'],
    ['doi_status', 'Double opt-in', 'varchar_options', 'optional'],
    ...COUNTS,
  ],
  organization: [
    ...RECORD,
    ['address', 'Address', 'address'],
    ['website', 'Website', 'varchar'],
    ['linkedin', 'LinkedIn profile', 'varchar'],
    ['industry', 'Industry', 'enum'],
    ['annual_revenue', 'Annual revenue', 'double'],
    ['employee_count', 'Number of employees', 'int'],
    ['people_count', 'People', 'int', 'optional'],
    ...COUNTS,
  ],
  deal: [
    ['id', 'ID', 'int'],
    ['title', 'Title', 'varchar'],
    ['creator_user_id', 'Creator', 'user'],
    ['owner_id', 'Owner', 'user'],
    ['value', 'Value', 'monetary'],
    ['currency', 'Currency', 'varchar'],
    ['label_ids', 'Label', 'set'],
    ['person_id', 'Contact person', 'people'],
    ['org_id', 'Organization', 'org'],
    ['pipeline_id', 'Pipeline', 'int'],
    ['stage_id', 'Stage', 'stage'],
    ['status', 'Status', 'status'],
    ['probability', 'Probability', 'int'],
    ['expected_close_date', 'Expected close date', 'date'],
    ['lost_reason', 'Lost reason', 'varchar_options'],
    ['origin', 'Source origin', 'varchar'],
    ['origin_id', 'Source origin ID', 'varchar'],
    ['channel', 'Source channel', 'enum'],
    ['channel_id', 'Source channel ID', 'varchar'],
    ['add_time', 'Deal created', 'date'],
    ['update_time', 'Update time', 'date'],
    ['visible_to', 'Visible to', 'visible_to'],
  ],
  ...PLAIN,
};

const LABELS: Partial<Record<FieldEntity, string[]>> = {
  person: ['Customer', 'Hot lead', 'Warm lead', 'Cold lead'],
  organization: ['Customer', 'Hot lead', 'Warm lead', 'Cold lead'],
  deal: ['Hot', 'Warm', 'Cold'],
};

const YES_NO = [
  { id: 1, label: 'Yes' },
  { id: 0, label: 'No' },
];

const OPTIONS: Record<string, FieldOption[]> = {
  visible_to: [
    { id: 1, label: 'Owner & followers' },
    { id: 3, label: 'Entire company' },
    { id: 5, label: "Owner's visibility group and sub-groups" },
    { id: 7, label: 'All users' },
  ],
  status: ['open', 'won', 'lost', 'deleted'].map((id) => ({ id, label: id })),
  marketing_status: ['no_consent', 'unsubscribed', 'subscribed', 'archived'].map((id) => ({
    id,
    label: id.replace('_', ' '),
  })),
};

const REQUIRED = ['name', 'title', 'content'];
const INDUSTRIES = ['Retail', 'Software', 'Manufacturing', 'Finance', 'Education', 'Health'];

/** The fields an account has before anybody adds one. `takeOption` gives the next option id. */
export function builtInFields(
  entity: FieldEntity,
  addTime: string,
  takeOption: () => number,
): Field[] {
  const numbered = (labels: string[]) => labels.map((label) => ({ id: takeOption(), label }));
  const optionsOf = (code: string): FieldOption[] | null => {
    if (code === 'label_ids') return numbered(LABELS[entity] ?? []);
    if (code === 'industry') return numbered(INDUSTRIES);
    if (code === 'channel') return numbered(['Web', 'Event', 'Referral']);
    return code.startsWith('pinned_to') ? YES_NO : (OPTIONS[code] ?? null);
  };
  return BUILT_IN[entity].map(([code, name, type, more]) => ({
    code,
    name,
    type,
    description: null,
    options: optionsOf(code),
    custom: false,
    optional: more === 'optional',
    addTime,
    settings: { required_fields: { enabled: REQUIRED.includes(code) } },
  }));
}
