import type { FieldValue, PipedriveRecord, WriteStep } from '@manifold/contracts';
import { decideChanges, fieldsOfNew, isSameValue, withoutEdited } from '../../writes/diff/rules.ts';
import type { StepBody } from '../../writes/rules.ts';
import type { StepEffect } from '../../writes/tables.ts';
import type { Fields } from '../rules.ts';
import { findMissing } from '../values/rules.ts';
import type { ChangeEffect, MatchedBy } from '../tables.ts';
import { noRecord, type RowReason, type Words } from './reasons/rules.ts';

/** Which record a change is about. */
export type Match =
  | { outcome: 'found'; record: PipedriveRecord; by: MatchedBy }
  | { outcome: 'absent' }
  /** It is named by its id, and there is no such record. */
  | { outcome: 'gone' }
  | { outcome: 'several'; candidates: string[] }
  /** Nothing can be said before something is mended. */
  | ({ outcome: 'unclear'; reason: RowReason } & Partial<Words>);

/** What a change will do. */
export interface Plan extends Partial<Words> {
  effect: ChangeEffect;
  reason?: RowReason;
  record?: PipedriveRecord;
  matchedBy?: MatchedBy;
  before: Fields;
  after: Fields;
  changedKeys: string[];
  keptKeys?: string[];
  candidates?: string[];
}

/** A row that leads to no change. */
export const nothing = (reason: RowReason, more: Partial<Plan> = {}): Plan => ({
  effect: 'none',
  reason,
  before: {},
  after: {},
  changedKeys: [],
  ...more,
});

type Planned = Pick<WriteStep, 'operation' | 'object' | 'existing'>;

/** What a step will do to the record it was matched with. `pendingKeys` get their value only as it is sent. */
export function decidePlan(
  step: Planned,
  match: Match,
  wanted: StepBody & { pendingKeys: readonly string[] },
): Plan {
  switch (match.outcome) {
    case 'several':
      return nothing('several_matches', { candidates: match.candidates });
    case 'unclear': {
      const { outcome: _, reason, ...words } = match;
      return nothing(reason, words);
    }
    case 'gone':
      // one that was to go is where it should be
      return step.operation === 'delete'
        ? nothing('record_gone')
        : nothing('record_not_found', noRecord('id'));
    case 'absent':
      return decideNew(step, wanted);
    case 'found':
      return decideExisting(step, match, wanted);
  }
}

function decideNew(
  { operation, object }: Planned,
  wanted: StepBody & { pendingKeys: readonly string[] },
): Plan {
  switch (operation) {
    case 'delete':
      return nothing('record_gone');
    case 'link':
    case 'merge':
    case 'update':
      return nothing('record_not_found', operation === 'update' ? noRecord('identity') : {});
    case 'upsert':
    case 'create': {
      const after = fieldsOfNew(wanted);
      const changedKeys = [...new Set([...Object.keys(after), ...wanted.pendingKeys])];
      const missing = findMissing(object, changedKeys);
      if (missing !== undefined) return nothing(missing.reason, missing);
      return { effect: 'create', before: {}, after, changedKeys };
    }
  }
}

function decideExisting(
  step: Planned,
  { record, by }: Extract<Match, { outcome: 'found' }>,
  wanted: StepBody & { pendingKeys: readonly string[] },
): Plan {
  const found = { record, matchedBy: by, before: {}, after: {}, changedKeys: [] };
  if (step.operation === 'delete') return { effect: 'delete', ...found };
  if (step.operation === 'link') return { effect: 'link', ...found };
  if (step.operation === 'merge') return { effect: 'merge', ...found };
  if (step.existing === 'leave') return nothing('existing_record_left_alone', found);
  const unedited = withoutEdited(record.fields, wanted.fields, wanted.onlyWhere);
  const keptKeys = Object.keys(wanted.fields).filter((code) => !(code in unedited));
  const after = decideChanges(record.fields, unedited, step.existing);
  const changedKeys = [...new Set([...Object.keys(after), ...wanted.pendingKeys])];
  if (changedKeys.length === 0) {
    return nothing(keptKeys.length > 0 ? 'edited_since' : 'nothing_to_change', {
      ...found,
      keptKeys,
    });
  }
  const before = pick(record.fields, changedKeys);
  return { ...found, effect: 'update', before, after, changedKeys, keptKeys };
}

const pick = (fields: Readonly<Fields>, codes: readonly string[]): Fields =>
  Object.fromEntries(codes.map((code) => [code, fields[code] ?? null]));

/** A product has a price for each currency; what another one was before is not known. */
function isOtherPrice({ object, fields }: PipedriveRecord, code: string, was: FieldValue): boolean {
  if (object !== 'product' || code !== 'prices') return false;
  return currencyOf(was) !== undefined && currencyOf(was) !== currencyOf(fields[code] ?? null);
}

const currencyOf = (value: FieldValue): string | null | undefined =>
  typeof value === 'object' && value !== null && 'currency' in value ? value.currency : undefined;

/** A change that was carried out, as far as it is known what it wrote. */
export interface Done {
  effect: StepEffect | null;
  changedKeys: readonly string[];
  /** `update_time` of the record after it. */
  updateTime: string | null;
  before: Readonly<Fields> | undefined;
  after: Readonly<Fields> | undefined;
}

/**
 * How a change is taken back, field by field: what still is what we wrote becomes what it was; what
 * somebody has changed since stays. A record we made goes only if nobody has touched it.
 */
export function decideUndo(done: Done, record: PipedriveRecord | undefined): Plan {
  if (done.effect === 'deleted' || done.effect === 'merged') return nothing('irreversible');
  if (record === undefined) return nothing('record_gone');
  const found = { record, matchedBy: 'pipedrive_id' as const };
  if (done.effect === 'created') {
    const written = done.after ?? {};
    // the time has whole seconds, so the values are compared too
    const isOurs =
      done.updateTime !== null &&
      record.updateTime === done.updateTime &&
      Object.entries(written).every(([code, value]) =>
        isSameValue(record.fields[code] ?? null, value),
      );
    return isOurs
      ? {
          effect: 'delete',
          ...found,
          before: pick(record.fields, Object.keys(written)),
          after: {},
          changedKeys: [],
        }
      : nothing('edited_since', found);
  }
  const { before, after } = done;
  if (before === undefined || after === undefined) return nothing('undo_not_available', found);
  const kept: string[] = [];
  const restored: string[] = [];
  for (const code of done.changedKeys) {
    const [was, current] = [before[code] ?? null, record.fields[code] ?? null];
    if (isSameValue(current, was)) continue;
    // a value that was only known as it was sent is not among those kept
    const isOurs = code in after && isSameValue(current, after[code] ?? null);
    (isOurs && !isOtherPrice(record, code, was) ? restored : kept).push(code);
  }
  const keptKeys = { keptKeys: kept };
  if (restored.length === 0) {
    return nothing(kept.length > 0 ? 'edited_since' : 'nothing_to_change', {
      ...found,
      ...keptKeys,
    });
  }
  return {
    effect: 'update',
    ...found,
    ...keptKeys,
    ...(kept.length > 0 ? { reason: 'edited_since' as const } : {}),
    before: pick(record.fields, restored),
    after: pick(before, restored),
    changedKeys: restored,
  };
}
