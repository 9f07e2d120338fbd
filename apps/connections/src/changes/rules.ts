import type { FieldValue, PipedriveObject } from '@manifold/contracts';
import { isSameValue } from '../writes/diff/rules.ts';
import type { StepState } from '../writes/tables.ts';
import type { ChangeEffect, ChangeSetState } from './tables.ts';

export type Fields = Record<string, FieldValue>;

/** Rows of one change set. */
export const MOST_CHANGES = 100_000;

/** What can be done with a set in a state; everything else is refused. */
const possible: Record<
  'close' | 'approve' | 'apply' | 'pause' | 'resume' | 'cancel',
  ChangeSetState[]
> = {
  close: ['open'],
  approve: ['awaiting_approval'],
  apply: ['paused'],
  pause: ['applying'],
  resume: ['paused'],
  cancel: ['open', 'planning', 'awaiting_approval', 'applying', 'paused'],
};

export type Decision = keyof typeof possible;

export const isPossible = (decision: Decision, state: ChangeSetState): boolean =>
  possible[decision].includes(state);

/** True once nothing of a set is written any more. */
export const hasEnded = (state: ChangeSetState): boolean =>
  ['cancelling', 'cancelled', 'done', 'failed'].includes(state);

export type ChangeState =
  | 'PENDING'
  | 'PLANNED'
  | 'APPLYING'
  | 'APPLIED'
  | 'UNCHANGED'
  | 'SKIPPED'
  | 'PARKED'
  | 'CANCELLED';

/** Where a change stands, seen from its plan and its step. */
export function stateOf(change: {
  effect: ChangeEffect | null;
  step_state: StepState;
}): ChangeState {
  switch (change.step_state) {
    case 'planned':
      return change.effect === null ? 'PENDING' : 'PLANNED';
    case 'queued':
    case 'sending':
    case 'unknown':
      return 'APPLYING';
    case 'applied':
    case 'superseded':
      return 'APPLIED';
    case 'no_change':
      return 'UNCHANGED';
    case 'skipped':
      return 'SKIPPED';
    case 'parked':
      return 'PARKED';
    case 'cancelled':
      return 'CANCELLED';
  }
}

/** True when a record still holds these values. */
export const holds = (record: Readonly<Fields>, values: Readonly<Fields>): boolean =>
  Object.entries(values).every(([code, value]) => isSameValue(record[code] ?? null, value));

/** One text for what a change will do, equal however its fields are ordered. */
export const planText = (plan: {
  effect: ChangeEffect;
  object: string;
  pipedriveId: string | null;
  after: Readonly<Fields>;
}): string =>
  JSON.stringify([
    plan.effect,
    plan.object,
    plan.pipedriveId,
    Object.entries(plan.after).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  ]);

const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** Whether a text can be Pipedrive's id of such a record: a UUID for leads, a whole number above zero for others. */
export const isRecordId = (object: PipedriveObject, id: string): boolean =>
  object === 'lead'
    ? UUID.test(id)
    : /^[1-9]\d{0,15}$/.test(id) && Number.isSafeInteger(Number(id));

/** Longer than this after a record was seen, it is read again before it is written. */
const FRESH_MS = 60_000;

export const isFresh = (checkedAt: Date | null, now: Date): boolean =>
  checkedAt !== null && now.getTime() - checkedAt.getTime() < FRESH_MS;
