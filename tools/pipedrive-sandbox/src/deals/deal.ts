import { refused } from '../http/problem.ts';
import type { JsonObject } from '../json.ts';
import {
  applyLabels,
  applyLinks,
  applyText,
  applyVisibility,
  assign,
  type BuildContext,
  type Kind,
  readMoment,
} from '../records/kind.ts';
import { wholeSeconds } from '../times.ts';
import { applyPlace } from './place.ts';
import { applyStatus } from './status.ts';

export const deal: Kind = { empty: ({ userId }) => emptyDeal(userId), apply: applyDeal };

/** A deal with nothing but its owner. */
export function emptyDeal(ownerId: number): JsonObject {
  return {
    id: 0,
    title: '',
    creator_user_id: ownerId,
    owner_id: ownerId,
    value: 0,
    person_id: null,
    org_id: null,
    stage_id: null,
    pipeline_id: null,
    currency: 'EUR',
    archive_time: null,
    add_time: '',
    update_time: '',
    stage_change_time: null,
    status: 'open',
    is_archived: false,
    is_deleted: false,
    probability: null,
    lost_reason: null,
    visible_to: 3,
    close_time: null,
    won_time: null,
    lost_time: null,
    local_won_date: null,
    local_lost_date: null,
    local_close_date: null,
    expected_close_date: null,
    label_ids: [],
    origin: 'API',
    origin_id: null,
    channel: null,
    channel_id: null,
    acv: null,
    arr: null,
    mrr: null,
  };
}

function applyDeal(
  base: JsonObject,
  body: JsonObject,
  before: JsonObject | undefined,
  context: BuildContext,
): void {
  const { issues, world } = context;
  if (before?.is_archived === true && body.is_archived !== false)
    throw refused(400, 'Archived deals cannot be updated');
  if (body.is_deleted !== undefined)
    issues.push({ key: 'is_deleted', message: 'A deal is deleted by DELETE' });
  applyText(base, body, 'title', context);
  assign(base, body, ['value', 'currency', 'probability', 'expected_close_date']);
  if (typeof base.currency !== 'string' || !/^[A-Z]{3}$/.test(base.currency))
    issues.push({ key: 'currency', message: 'Expected a currency code' });
  const { probability } = base;
  if (typeof probability === 'number' && (probability < 0 || probability > 100))
    issues.push({ key: 'probability', message: 'Expected 0 to 100' });
  applyLinks(base, body, ['owner_id', 'person_id', 'org_id'], context);
  applyVisibility(base, body, context);
  applyLabels('deal', base, body, context);
  applyPlace(base, body, before, context);
  applyStatus(base, body, context);
  if (typeof body.is_archived !== 'boolean') return;
  base.is_archived = body.is_archived;
  const archived = readMoment(body, 'archive_time', context) ?? base.archive_time;
  base.archive_time = body.is_archived ? (archived ?? wholeSeconds(world.now())) : null;
}
