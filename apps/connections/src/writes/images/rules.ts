import type { FieldValue, PipedriveRecord } from '@manifold/contracts';

const DAY_MS = 24 * 3_600_000;
const DAYS = 30;

/** Until when the values of an update are kept; undefined: not at all. `days` as the workspace set them. */
export function imagesUntil(days: number | undefined, now: Date): Date | undefined {
  const kept = days ?? DAYS;
  return kept > 0 ? new Date(now.getTime() + kept * DAY_MS) : undefined;
}

/** What a record held in the fields that are to be written. */
export const heldBefore = (
  record: PipedriveRecord,
  fields: Readonly<Record<string, FieldValue>>,
): Record<string, FieldValue> =>
  Object.fromEntries(Object.keys(fields).map((code) => [code, record.fields[code] ?? null]));
