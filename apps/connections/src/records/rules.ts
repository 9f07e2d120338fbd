import type { PipedriveObject } from '@manifold/contracts';
import type { RecordObject } from '@manifold/pipedrive';

const shared = [
  'next_activity_id',
  'last_activity_id',
  'open_deals_count',
  'related_open_deals_count',
  'closed_deals_count',
  'related_closed_deals_count',
  'email_messages_count',
  'activities_count',
  'done_activities_count',
  'undone_activities_count',
  'files_count',
  'notes_count',
  'followers_count',
  'won_deals_count',
  'related_won_deals_count',
  'lost_deals_count',
  'related_lost_deals_count',
  'smart_bcc_email',
];

/** Built-in fields Pipedrive's lists leave out unless they are asked for. */
const optionalFields: Partial<Record<PipedriveObject, readonly string[]>> = {
  person: [
    ...shared,
    'participant_open_deals_count',
    'participant_closed_deals_count',
    'last_incoming_mail_time',
    'last_outgoing_mail_time',
    'marketing_status',
    'doi_status',
  ],
  organization: [...shared, 'people_count'],
  deal: [
    'next_activity_id',
    'last_activity_id',
    'first_won_time',
    'products_count',
    'files_count',
    'notes_count',
    'followers_count',
    'email_messages_count',
    'activities_count',
    'done_activities_count',
    'undone_activities_count',
    'participants_count',
    'last_incoming_mail_time',
    'last_outgoing_mail_time',
    'smart_bcc_email',
    'source_lead_id',
  ],
};

export const includedFields = (object: PipedriveObject, fields: readonly string[]): string[] =>
  (optionalFields[object] ?? []).filter((code) => fields.includes(code));

// known to companies with Campaigns alone; of others Pipedrive refuses whatever asks for them
const ofCampaigns: readonly string[] = ['marketing_status', 'doi_status'];

/** The included fields the company has, as far as its catalogue tells. */
export const offeredFields = (
  included: readonly string[],
  definitions: readonly { code: string }[],
): string[] =>
  included.filter(
    (code) => !ofCampaigns.includes(code) || definitions.some((field) => field.code === code),
  );

/** Users have no list of records of their own kind. */
export const isReadable = (object: PipedriveObject): object is RecordObject => object !== 'user';
