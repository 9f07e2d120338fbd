import { type Json, type JsonObject, textOf } from '../json.ts';
import type { RecordEntity } from '../records/entities.ts';

/** What webhooks v2 are sent for. */
export type HookEntity = RecordEntity | 'lead' | 'note';

/**
 * The built-in part of a record as webhooks show it, after Pipedrive's published examples: some properties keep their
 * v1 names and forms, others are missing.
 */
export function hookBase(entity: HookEntity, base: JsonObject): JsonObject {
  const { hidden, renamed } = SHAPES[entity];
  const shown = Object.entries(base).filter(([key]) => !hidden.includes(key));
  return { ...Object.fromEntries(shown), ...renamed(base) };
}

/** Notes, pipelines and stages have none, not even an empty object. */
export function hasCustomFields(entity: HookEntity): boolean {
  return entity !== 'note' && entity !== 'pipeline' && entity !== 'stage';
}

interface Shape {
  hidden: string[];
  renamed: (base: JsonObject) => JsonObject;
}

const SHAPES: Record<HookEntity, Shape> = {
  person: { hidden: ['label_ids', 'is_deleted'], renamed: labelled },
  organization: {
    hidden: [
      'label_ids',
      'is_deleted',
      'website',
      'linkedin',
      'industry',
      'annual_revenue',
      'employee_count',
    ],
    renamed: labelled,
  },
  deal: {
    hidden: [
      'is_deleted',
      'local_won_date',
      'local_lost_date',
      'local_close_date',
      'acv',
      'arr',
      'mrr',
    ],
    renamed: (base) => ({ ...visible(base), first_won_time: base.won_time ?? null }),
  },
  product: {
    hidden: ['is_deleted', 'is_linkable', 'billing_frequency', 'billing_frequency_cycles'],
    renamed: (base) => ({ ...visible(base), selectable: base.is_linkable ?? true }),
  },
  activity: {
    hidden: [
      'is_deleted',
      'busy',
      'creator_user_id',
      'project_id',
      'marked_as_done_time',
      'participants',
      'attendees',
      'conference_meeting_client',
      'conference_meeting_url',
      'conference_meeting_id',
      'priority',
      'note',
    ],
    renamed: (base) => ({
      active_flag: base.is_deleted !== true,
      busy_flag: base.busy ?? null,
      due_time: timed(base.due_time),
      duration: timed(base.duration),
      update_user_id: null,
    }),
  },
  lead: { hidden: ['visible_to', 'cc_email'], renamed: () => ({}) },
  note: {
    hidden: [
      'last_update_user_id',
      'pinned_to_lead_flag',
      'pinned_to_project_flag',
      'task_id',
      'pinned_to_task_flag',
    ],
    renamed: (base) => ({
      add_time: precise(base.add_time),
      update_time: precise(base.update_time),
    }),
  },
  pipeline: {
    hidden: ['is_deleted', 'is_deal_probability_enabled'],
    renamed: (base) => ({
      url_title: textOf(base.name).replaceAll(' ', '-'),
      active_flag: base.is_deleted !== true,
      deal_probability: base.is_deal_probability_enabled ?? false,
    }),
  },
  stage: {
    hidden: ['is_deleted', 'is_deal_rot_enabled', 'days_to_rotten'],
    renamed: (base) => ({
      active_flag: base.is_deleted !== true,
      rotten_flag: base.is_deal_rot_enabled ?? false,
      rotten_days: base.days_to_rotten ?? null,
    }),
  },
};

function visible({ visible_to: value }: JsonObject): JsonObject {
  return { visible_to: textOf(value) };
}

function labelled(base: JsonObject): JsonObject {
  const labels = Array.isArray(base.label_ids) ? base.label_ids : [];
  return { ...visible(base), label: labels[0] ?? null };
}

function timed(value: Json | undefined): Json {
  return typeof value === 'string' ? { timezone_id: null, value } : null;
}

/** From v1's form of a time to that of v2. */
function precise(value: Json | undefined): Json {
  return `${textOf(value).replace(' ', 'T')}Z`;
}
