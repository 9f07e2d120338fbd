import type { GuardRails, ReasonCode } from '@manifold/contracts';
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
  /** Rows of any effect, `none` included. */
  rows: number;
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

/** Which guard rail a plan runs into; undefined when it stays within all of them. */
export function decideRails(totals: PlanTotals, rails: Rails): ReasonCode | undefined {
  const changed = changedRecords(totals);
  if (rails.max_records !== null && changed > rails.max_records) return 'too_many_records';
  const percent = totals.rows === 0 ? 0 : (changed / totals.rows) * 100;
  if (rails.max_percent !== null && percent > rails.max_percent) return 'too_large_a_part';
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
