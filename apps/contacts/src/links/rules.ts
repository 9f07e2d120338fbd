import type { PipedriveRecord } from '@manifold/contracts';
import type { RecordLink } from '../store.ts';

/** How a state of a record reached us: in a page of a list, or in a webhook with its own order. */
export type Arrival = { via: 'page' } | { via: 'webhook'; revision: number };

type Standing = Pick<RecordLink, 'update_time' | 'webhook_ms' | 'deleted_at' | 'mapping_version'>;

/**
 * Is this state newer than what was stored? Of two webhooks (update time, revision) decides. A page
 * counts by its update time alone, which has whole seconds: what a webhook wrote in the same second
 * stays, unless the mapping has changed since and the page brings fields the webhook did not.
 */
export function isNewer(
  link: Standing,
  incoming: { updateTime: Date | null; arrival: Arrival; mappingVersion: number },
): boolean {
  const { updateTime, arrival } = incoming;
  const stored = link.update_time?.getTime() ?? Number.NEGATIVE_INFINITY;
  if (link.deleted_at !== null) {
    // of webhooks the order alone tells whether the record came back after it was deleted
    if (arrival.via === 'webhook' && link.webhook_ms !== null)
      return isLater(arrival, link.webhook_ms);
    return (updateTime?.getTime() ?? 0) > stored;
  }
  const time = updateTime?.getTime() ?? (arrival.via === 'webhook' ? arrival.revision : stored);
  if (time !== stored) return time > stored;
  if (arrival.via === 'webhook') return isLater(arrival, link.webhook_ms);
  return link.webhook_ms === null || link.mapping_version < incoming.mappingVersion;
}

const isLater = (arrival: Arrival, webhookMs: string | null): boolean =>
  arrival.via === 'page' || webhookMs === null || arrival.revision > Number(webhookMs);

/** Does a deletion of this revision concern the record as it stands, or one that came back since? */
export function isStillGone(link: Standing, revision: number): boolean {
  if (link.webhook_ms !== null && Number(link.webhook_ms) >= revision) return false;
  const second = 1_000 * Math.floor(revision / 1_000);
  return link.update_time === null || link.update_time.getTime() <= second + 999;
}

/** The newest state of each record; a page can hold one twice when the list moved while it was read. */
export function newestOfEach(records: readonly PipedriveRecord[]): PipedriveRecord[] {
  const newest = new Map<string, PipedriveRecord>();
  for (const record of records) {
    const other = newest.get(record.id);
    if (!other || (other.updateTime ?? '') <= (record.updateTime ?? ''))
      newest.set(record.id, record);
  }
  return [...newest.values()];
}

/** The organization a person points at: null for none, undefined when the record does not say. */
export function organizationOf({ object, fields }: PipedriveRecord): string | null | undefined {
  const pointer = object === 'person' ? fields['org_id'] : undefined;
  if (pointer === undefined || pointer === null) return pointer;
  return typeof pointer === 'number' || typeof pointer === 'string' ? String(pointer) : null;
}

/** Records that may stand behind one contact or account (OR-24). */
export const MAX_ASSOCIATIONS = 50;

/** One record each: of two unknown persons with one e-mail address only the first joins the contact. */
export function chooseHomes(
  persons: readonly { pipedriveId: string; email: string }[],
  contacts: readonly { email: string; id: string }[],
): Map<string, string> {
  const free = new Map(contacts.map(({ email, id }) => [email, id]));
  const homes = new Map<string, string>();
  for (const { pipedriveId, email } of persons) {
    const contact = email === '' ? undefined : free.get(email);
    if (contact === undefined) continue;
    homes.set(pipedriveId, contact);
    free.delete(email);
  }
  return homes;
}
