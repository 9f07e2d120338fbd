import type { FieldValue, PipedriveRecord } from '@manifold/contracts';
import type { WebhookEvent } from '@manifold/pipedrive';

/** Bodies, records and the memory of repeats are kept this long at most. */
export const KEEP_MS = 7 * 24 * 3_600_000;
/** Tries at understanding one receipt before it is parked. */
export const MOST_ATTEMPTS = 5;
const RETRY_DELAYS_MS = [1_000, 5_000, 30_000, 120_000];

export const retryAt = (attempts: number, now: Date): Date =>
  new Date(now.getTime() + (RETRY_DELAYS_MS[attempts - 1] ?? 120_000));

const MOST_KEYS = 500;

export interface Change {
  action: 'created' | 'updated' | 'deleted' | 'merged';
  changedKeys: string[];
  /** Milliseconds since 1970, of the change at Pipedrive. */
  revision: number;
  mergedIntoPipedriveId?: string;
}

/** What a webhook says in the words of `record_changed`. */
export function describeChange(event: WebhookEvent): Change {
  const revision = Date.parse(event.occurredAt);
  switch (event.action) {
    case 'create':
      return { action: 'created', changedKeys: filledKeys(event.record.fields), revision };
    case 'change':
      return {
        action: 'updated',
        changedKeys: Object.keys(event.previous ?? {}).slice(0, MOST_KEYS),
        revision,
      };
    case 'delete':
      return event.mergedInto === null
        ? { action: 'deleted', changedKeys: [], revision }
        : { action: 'merged', changedKeys: [], revision, mergedIntoPipedriveId: event.mergedInto };
  }
}

const filledKeys = (fields: Record<string, FieldValue>): string[] =>
  Object.keys(fields)
    .filter((key) => fields[key] !== null)
    .slice(0, MOST_KEYS);

/** A record with the named fields only; a field it does not hold stays absent. */
export const project = (record: PipedriveRecord, fields: readonly string[]): PipedriveRecord => ({
  ...record,
  fields: Object.fromEntries(
    fields.flatMap((code) => {
      const value = record.fields[code];
      return value === undefined ? [] : [[code, value]];
    }),
  ),
});
