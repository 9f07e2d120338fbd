import type { FieldValue, WriteStep } from '@manifold/contracts';
import type { Connection } from '../../accounts/tables.ts';
import type { WebhookHealth } from '../../webhooks/tables.ts';
import { partsOf } from '../diff/rules.ts';

/** Whether every change since a record was seen was told of, or will be. */
export function mayTrust(
  seenAt: Date,
  by: {
    connection: Pick<Connection, 'webhook_state' | 'established_at'>;
    health: Pick<WebhookHealth, 'state' | 'repaired_at'> | undefined;
  },
): boolean {
  const { connection, health } = by;
  if (connection.webhook_state !== 'ACTIVE') return false;
  if (health !== undefined && !['HEALTHY', 'UNKNOWN'].includes(health.state)) return false;
  // what was lost before the subscription worked is not told later
  const gaps = [connection.established_at, health?.repaired_at ?? null];
  return gaps.every((end) => end === null || seenAt >= end);
}

/** Hashes of the parts of a field's value; none when it is empty. */
export type FieldHashes = Readonly<Record<string, readonly string[]>>;
export type HashPart = (code: string, part: string) => string;

/** The hashes of these fields. */
export const hashFields = (
  fields: Readonly<Record<string, FieldValue>>,
  hash: HashPart,
): FieldHashes =>
  Object.fromEntries(
    Object.entries(fields).map(([code, value]) => [
      code,
      partsOf(value).map((part) => hash(code, part)),
    ]),
  );

/** Whether what is known of a record shows that a step has nothing to write to it. */
export function coversAll(
  known: FieldHashes,
  wanted: { fields: Readonly<Record<string, FieldValue>>; existing: WriteStep['existing'] },
  hash: HashPart,
): boolean {
  return Object.entries(wanted.fields).every(([code, value]) => {
    const held = known[code];
    if (held === undefined) return false;
    const parts = partsOf(value).map((part) => hash(code, part));
    if (wanted.existing === 'fill_blanks' && (held.length > 0 || parts.length === 0)) return true;
    const isList = Array.isArray(value) && value.some((item) => typeof item === 'object');
    // addresses and numbers are only ever added to what is there
    return isList
      ? parts.every((part) => held.includes(part))
      : held.toSorted().join() === parts.toSorted().join();
  });
}
