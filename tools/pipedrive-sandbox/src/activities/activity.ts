import { isObject, type JsonObject, textOf } from '../json.ts';
import {
  applyLinks,
  assign,
  type BuildContext,
  findBrokenLink,
  type Kind,
} from '../records/kind.ts';
import { isDate, wholeSeconds } from '../times.ts';
import { FIRST_TYPE, isActivityType } from './types.ts';

const PLAIN = ['location', 'public_description', 'priority', 'note', 'busy'];

export const activity: Kind = {
  empty: ({ userId }) => emptyActivity(userId),
  apply: applyActivity,
};

/** An activity with nothing but its owner. `attendees` appear only when there are some. */
export function emptyActivity(ownerId: number): JsonObject {
  return {
    id: 0,
    subject: '',
    type: FIRST_TYPE,
    owner_id: ownerId,
    creator_user_id: ownerId,
    is_deleted: false,
    add_time: '',
    update_time: '',
    deal_id: null,
    lead_id: null,
    person_id: null,
    org_id: null,
    project_id: null,
    due_date: null,
    due_time: null,
    duration: null,
    busy: false,
    done: false,
    marked_as_done_time: null,
    location: null,
    participants: [],
    conference_meeting_client: null,
    conference_meeting_url: null,
    conference_meeting_id: null,
    public_description: null,
    priority: null,
    note: null,
  };
}

function applyActivity(
  base: JsonObject,
  body: JsonObject,
  _: JsonObject | undefined,
  context: BuildContext,
): void {
  const { issues, world } = context;
  assign(base, body, PLAIN);
  if (body.type !== undefined) base.type = body.type;
  if (!isActivityType(base.type)) issues.push({ key: 'type', message: 'Unknown activity type' });
  if (typeof body.subject === 'string') base.subject = body.subject.trim();
  if (base.subject === '') base.subject = textOf(base.type);
  if (typeof body.project_id === 'number')
    issues.push({ key: 'project_id', message: 'Project not found' });
  applyLinks(base, body, ['owner_id', 'deal_id', 'lead_id', 'org_id'], context);
  applyPeople(base, body, context);
  applyDue(base, body, context);
  if (typeof body.done === 'boolean' && body.done !== base.done) {
    base.done = body.done;
    base.marked_as_done_time = body.done ? wholeSeconds(world.now()) : null;
  }
}

/** `person_id` follows the primary participant and cannot be written. */
function applyPeople(base: JsonObject, body: JsonObject, { world, issues }: BuildContext): void {
  if (body.person_id !== undefined)
    issues.push({ key: 'person_id', message: 'Read-only, use participants' });
  if (Array.isArray(body.attendees)) {
    if (body.attendees.length > 0) base.attendees = body.attendees;
    else delete base.attendees;
  }
  if (!Array.isArray(body.participants)) return;
  const people = body.participants.filter(isObject);
  const primaries = people.filter(({ primary }) => primary === true).length;
  if (primaries > 1)
    issues.push({ key: 'participants', message: 'Only one participant can be primary' });
  for (const { person_id: id } of people) {
    const broken =
      typeof id === 'number' ? findBrokenLink(world, 'person_id', id) : { message: '' };
    if (broken !== undefined)
      issues.push({ key: 'participants', message: broken.message || 'Required person_id' });
  }
  base.participants = people.map(({ person_id: id = null, primary }, at) => ({
    person_id: id,
    primary: primaries === 0 ? at === 0 : primary === true,
  }));
  base.person_id = primaryOf(base);
}

/** Whose name stands on an activity. */
export function primaryOf({ participants }: JsonObject): number | null {
  const people = Array.isArray(participants) ? participants.filter(isObject) : [];
  const id = people.find(({ primary }) => primary === true)?.person_id;
  return typeof id === 'number' ? id : null;
}

/** Dates and times are UTC; times gain their seconds. */
function applyDue(base: JsonObject, body: JsonObject, { issues }: BuildContext): void {
  if (body.due_date !== undefined) base.due_date = body.due_date;
  if (typeof body.due_date === 'string' && !isDate(body.due_date))
    issues.push({ key: 'due_date', message: 'not a valid date' });
  for (const key of ['due_time', 'duration'] as const) {
    const text = body[key];
    if (text === undefined) continue;
    const fits = typeof text === 'string' && /^\d\d:[0-5]\d(:[0-5]\d)?$/.test(text);
    if (!fits && text !== null) issues.push({ key, message: 'not a valid time' });
    base[key] = fits && text.length === 5 ? `${text}:00` : text;
  }
}
