import type { GuardRails, PipedriveObject, ReasonCode } from '@manifold/contracts';
import type { WritePolicy } from './store.ts';

/** What holds while a workspace has not said otherwise: everything is shown to a person first. */
export const defaultPolicy: WritePolicy = {
  automatic: 'NEVER',
  automatic_max_records: null,
  max_records: null,
  max_percent: null,
  allow_deletes: false,
  allow_merges: false,
  image_days: 30,
  approver_role: 'ADMIN',
};

/** What a plan comes to. */
export interface PlanTotals {
  create: number;
  update: number;
  delete: number;
  merge: number;
  /** What it is a part of, one entry for each kind of record. */
  parts: readonly Part[];
}

/** What a plan does to one kind of record. */
export interface Part {
  object: PipedriveObject;
  /** Rows of any effect, `none` included. */
  rows: number;
  /** Rows that make, change, join or delete a record. */
  changed: number;
  /** Records of this kind the company has; undefined where nobody has counted them. */
  known: number | undefined;
}

export type Rails = Pick<
  WritePolicy,
  'max_records' | 'max_percent' | 'allow_deletes' | 'allow_merges'
>;

/** A set can be held more tightly than its workspace, never less; what it leaves out is the workspace's. */
export const railsOf = (asked: GuardRails | undefined, policy: Rails): Rails => ({
  max_records: lower(asked?.maxRecords, policy.max_records),
  max_percent: lower(asked?.maxPercent, policy.max_percent),
  allow_deletes: policy.allow_deletes && asked?.allowDeletes !== false,
  allow_merges: policy.allow_merges && asked?.allowMerges !== false,
});

const lower = (asked: number | undefined, most: number | null): number | null =>
  asked === undefined || most === null ? (asked ?? most) : Math.min(asked, most);

const changedRecords = (totals: PlanTotals): number =>
  totals.create + totals.update + totals.delete + totals.merge;

/** Of fewer rows a part says nothing: one of one is all of them. */
const FEWEST_ROWS = 20;

/** Of the records there are; where nobody knows how many, of the rows. */
function percentOf({ rows, changed, known = 0 }: Part): number {
  if (known > 0) return (changed / known) * 100;
  return rows < FEWEST_ROWS ? 0 : (changed / rows) * 100;
}

/** Which guard rail a plan runs into; undefined when it stays within all of them. */
export function decideRails(totals: PlanTotals, rails: Rails): ReasonCode | undefined {
  const changed = changedRecords(totals);
  if (rails.max_records !== null && changed > rails.max_records) return 'too_many_records';
  const most = rails.max_percent;
  if (most !== null && totals.parts.some((part) => percentOf(part) > most)) {
    return 'too_large_a_part';
  }
  if (!rails.allow_deletes && totals.delete > 0) return 'deletes_not_allowed';
  if (!rails.allow_merges && totals.merge > 0) return 'merges_not_allowed';
  return undefined;
}

export type ApprovalDecision =
  | { approval: 'automatic' }
  | { approval: 'waits'; reason: ReasonCode };

/** Whether a plan goes on by itself. One that changes nothing needs nobody's yes. */
export function decideApproval(
  totals: PlanTotals,
  { rails, policy }: { rails: Rails; policy: WritePolicy },
): ApprovalDecision {
  if (changedRecords(totals) === 0) return { approval: 'automatic' };
  const broken = decideRails(totals, rails);
  if (broken !== undefined) return { approval: 'waits', reason: broken };
  const { automatic, automatic_max_records: most } = policy;
  const onlyUpdates = changedRecords(totals) === totals.update;
  const fits = most === null || changedRecords(totals) <= most;
  const allowed = automatic === 'ALL' || (automatic === 'UPDATES' && onlyUpdates);
  return allowed && fits
    ? { approval: 'automatic' }
    : { approval: 'waits', reason: 'approval_required' };
}

const KEEP_MS = 30 * 24 * 3_600_000;

/** A set nobody decides about any more, and the values it holds, are kept until then. */
export const keptUntil = (decidedAt: Date): Date => new Date(decidedAt.getTime() + KEEP_MS);
