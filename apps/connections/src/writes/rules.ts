import type {
  FieldValue,
  IdentityKey,
  PipedriveObject,
  ReasonCode,
  WriteCommand,
  WriteStep,
} from '@manifold/contracts';
import type { Lane } from '../budget/tables.ts';
import { isBlank, joinValue } from './diff/rules.ts';
import type { RequestState, StepEffect, StepState } from './tables.ts';

/** What is encrypted of a step. */
export interface StepBody {
  identity: IdentityKey[];
  fields: Record<string, FieldValue>;
  createOnlyFields: Record<string, FieldValue>;
  /** Of a merge: which record stays. */
  survivor: IdentityKey[];
  /** What a field must still hold to be written. */
  onlyWhere: Record<string, FieldValue>;
}

/** What a command asks for, as one text: equal however its keys are ordered and whoever passes it on. */
export function canonicalText(command: WriteCommand): string {
  const { connectionId, actingUserId, cause, lane, mapping, changeSetId } = command;
  const steps = command.steps.map(withoutBlanks);
  const asked = { connectionId, actingUserId, cause, lane, mapping, changeSetId, steps };
  return JSON.stringify(asked, (_, value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}

/** A step as it was spelled before these could be said, so that an old request stays the same. */
function withoutBlanks({ survivor, onlyWhere, ...step }: WriteStep): Partial<WriteStep> {
  return {
    ...step,
    ...(survivor.length === 0 ? {} : { survivor }),
    ...(Object.keys(onlyWhere).length === 0 ? {} : { onlyWhere }),
  };
}

export interface SettledStep {
  state: StepState;
  effect: StepEffect | null;
  pipedrive_id: string | null;
}

/** Whether a step is done with, as far as later ones are concerned. */
export const isTerminal = (state: StepState): boolean =>
  ['applied', 'no_change', 'superseded', 'skipped', 'cancelled'].includes(state);

/** Whether a step may be sent now that those before it came to rest. */
export function decideGuard(
  step: Pick<WriteStep, 'guard'>,
  before: { previous: SettledStep | undefined; referenced: readonly SettledStep[] },
): 'go' | 'wait' | 'skip' {
  const { previous, referenced } = before;
  if (referenced.some(({ state }) => !isTerminal(state))) return 'wait';
  if (referenced.some(({ pipedrive_id }) => pipedrive_id === null)) return 'skip';
  if (previous === undefined || step.guard === 'always') return 'go';
  if (!isTerminal(previous.state)) return 'wait';
  if (step.guard === 'only_if_created') return previous.effect === 'created' ? 'go' : 'skip';
  return ['applied', 'no_change'].includes(previous.state) ? 'go' : 'skip';
}

/** What a request has come to; undefined while something of it still moves on its own. */
export function decideRequest(
  steps: readonly { state: StepState; reason: ReasonCode | null }[],
): { state: Exclude<RequestState, 'pending'>; reason: ReasonCode | null } | undefined {
  if (steps.some(({ state }) => ['queued', 'sending', 'unknown'].includes(state))) return undefined;
  const first = (wanted: StepState) => steps.find(({ state }) => state === wanted);
  const parked = first('parked');
  if (parked) return { state: 'parked', reason: parked.reason };
  const cancelled = first('cancelled');
  if (cancelled) return { state: 'cancelled', reason: cancelled.reason };
  if (steps.some(({ state }) => ['applied', 'no_change', 'superseded'].includes(state))) {
    return { state: 'succeeded', reason: null };
  }
  return { state: 'skipped', reason: first('skipped')?.reason ?? null };
}

export interface Waiting {
  connection_id: string;
  write_request_id: string;
  object: PipedriveObject;
  operation: WriteStep['operation'];
  existing: WriteStep['existing'];
  state: StepState;
  key_hashes: readonly string[];
  sent_at: Date | null;
  lease_until: Date | null;
}

/**
 * Whether a waiting step can be carried out together with the next one on the same record: one
 * credential, one policy, nothing sent yet, and nobody waits for the older one's result.
 */
export function canCoalesce(
  older: Waiting & { isLast: boolean },
  newer: Waiting,
  now: Date,
): boolean {
  return (
    older.isLast &&
    newer.state === 'queued' &&
    older.sent_at === null &&
    newer.sent_at === null &&
    (newer.lease_until === null || newer.lease_until <= now) &&
    older.write_request_id !== newer.write_request_id &&
    older.connection_id === newer.connection_id &&
    older.object === newer.object &&
    older.operation === 'upsert' &&
    newer.operation === 'upsert' &&
    older.existing === newer.existing &&
    older.existing !== 'leave' &&
    older.key_hashes.join() === newer.key_hashes.join()
  );
}

/** Whoever waits for one of two joined writes must not wait longer for it. */
export function moreUrgent(one: Lane, other: Lane): Lane {
  const lanes = ['interactive', 'event', 'bulk'] as const;
  return lanes.find((lane) => lane === one || lane === other) ?? one;
}

/** Neither may be written under a condition: joined, it would be forgotten or bind the other one too. */
export const areJoinable = (older: StepBody, newer: StepBody): boolean =>
  [older, newer].every(({ onlyWhere }) => Object.keys(onlyWhere).length === 0);

/** The newer body with what only the older one says; blanks are filled by whoever came first. Addresses of both are kept. */
export function coalesce(
  older: StepBody,
  newer: StepBody,
  existing: WriteStep['existing'],
): StepBody {
  const join = (one: StepBody['fields'], other: StepBody['fields']) => {
    const joined = { ...one };
    for (const [code, value] of Object.entries(other)) {
      const first = one[code] ?? null;
      const both = joinValue(first, value);
      const isTaken = existing === 'fill_blanks' && !isBlank(first) && both === value;
      joined[code] = isTaken ? first : both;
    }
    return joined;
  };
  return {
    identity: newer.identity,
    fields: join(older.fields, newer.fields),
    createOnlyFields: join(older.createOnlyFields, newer.createOnlyFields),
    survivor: newer.survivor,
    onlyWhere: {},
  };
}

/**
 * How a parked step starts again. A create of unknown end is looked for first and may then be made
 * once more; anything else is planned anew.
 */
export function decideRedrive(
  // kept at parking for a create in doubt only
  step: { sent_at: Date | null },
  now: Date,
): { state: 'queued' | 'unknown'; not_before: Date; unknown_creates: number } {
  return step.sent_at !== null
    ? { state: 'unknown', not_before: now, unknown_creates: 1 }
    : { state: 'queued', not_before: now, unknown_creates: 0 };
}
