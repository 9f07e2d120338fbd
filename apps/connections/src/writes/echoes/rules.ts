import type { FieldValue } from '@manifold/contracts';
import type { FieldHashes } from '../hashes/rules.ts';
import type { StepEffect } from '../tables.ts';

type Fields = Readonly<Record<string, FieldValue>>;

/** A call of ours that a change may be the echo of. */
export interface SentCall {
  effect: StepEffect | null;
  /** What it wrote; undefined where that was not noted. */
  written: FieldHashes | undefined;
  /** Of a merge: the record that disappears. */
  loserId: string | null;
  /** The change bears the time Pipedrive answered it with. */
  isSameTime: boolean;
}

/** A change as its webhook tells it. */
export interface ToldChange {
  action: 'created' | 'updated' | 'deleted' | 'merged';
  pipedriveId: string;
  /** The record that disappeared into this one by the change. */
  mergedFrom?: string | null | undefined;
  fields: Fields;
  /** Values before, of the changed fields only; absent where nobody told them. */
  previous?: Fields | null | undefined;
}

/** Clocks differ. */
const CLOCK_MARGIN_MS = 30_000;

/** A delete of ours that ended no earlier than this made the record go at that time. */
export const deletedSince = (goneAt: Date): Date => new Date(goneAt.getTime() - CLOCK_MARGIN_MS);

/**
 * Whether a change is what a call of ours made. Somebody may change the same record while the call is
 * under way, or in the same second: the change is ours only when it holds what we wrote.
 */
export function isEchoOf(
  call: SentCall,
  change: ToldChange,
  hashesOf: (fields: Fields) => FieldHashes,
): boolean {
  switch (call.effect) {
    case 'created':
      return change.action === 'created' || (wasReadOnly(change) && isMade(call, change, hashesOf));
    case 'updated':
      return change.action === 'updated' && isMade(call, change, hashesOf);
    case 'deleted':
      return change.action === 'deleted';
    case 'merged':
      if (call.loserId === null) return false;
      return change.mergedFrom === call.loserId || isLossOf(call.loserId, change);
    case 'linked':
    case 'none':
    case null:
      return false;
  }
}

const isLossOf = (loserId: string, { action, pipedriveId }: ToldChange): boolean =>
  pipedriveId === loserId && (action === 'merged' || action === 'deleted');

/** Nobody told what changed: its webhook was lost, and the record was read instead. */
const wasReadOnly = ({ previous }: ToldChange): boolean =>
  previous === null || previous === undefined;

function isMade(
  { written, isSameTime }: SentCall,
  change: ToldChange,
  hashesOf: (fields: Fields) => FieldHashes,
): boolean {
  if (written === undefined) return isSameTime;
  const codes = Object.keys(written).filter((code) => change.fields[code] !== undefined);
  // a webhook does not carry every field
  if (codes.length === 0) return isSameTime;
  const held = hashesOf(
    Object.fromEntries(codes.map((code) => [code, change.fields[code] ?? null])),
  );
  const same = (code: string) => textOf(held[code]) === textOf(written[code]);
  if (!codes.every(same)) return false;
  return wasReadOnly(change) ? isSameTime : codes.some((code) => code in (change.previous ?? {}));
}

const textOf = (hashes: readonly string[] = []): string => hashes.toSorted().join();
