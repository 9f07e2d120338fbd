import type { PipedriveObject } from '@manifold/contracts';
import type { Tx } from '../../store.ts';
import { imagesOf } from '../undoing/images.ts';
import { priceOf } from '../costs/prices.ts';
import { planText } from '../rules.ts';
import { listTaken, setChange } from '../rows/store.ts';
import { addSpent, changeHeldSet } from '../store.ts';
import { type Stretch, withWork, type Work } from '../work.ts';
import type { PlannedRow } from './row.ts';
import type { Plan } from './rules.ts';

/** Stores what was planned, unless somebody decided otherwise while it was. */
export async function storePlans(work: Work, planned: readonly PlannedRow[]): Promise<Stretch> {
  const { set } = work;
  return withWork(work, async (tx): Promise<Stretch> => {
    await addSpent(tx, set, work.takeSpent());
    if (!(await changeHeldSet(tx, set, { attempts: 0, waiting_reason: null }))) {
      return { outcome: 'over' };
    }
    for (const one of await leaveOutDoubles(tx, work, planned)) {
      await setChange(tx, one.row.change.id, columnsOf(work, one));
    }
    return { outcome: 'more', afterMs: 0 };
  });
}

function columnsOf({ deps, set }: Work, { row, plan, lookTokens }: PlannedRow) {
  const { change } = row;
  const pipedriveId = plan.record?.id ?? null;
  const { effect, before, after } = plan;
  const text = planText({ effect, object: change.object, pipedriveId, after });
  return {
    effect,
    matched_by: plan.matchedBy ?? null,
    pipedrive_id: pipedriveId,
    reason: plan.reason ?? null,
    planned_cause: plan.cause ?? null,
    planned_fix: plan.fix ?? null,
    changed_keys: plan.changedKeys,
    kept_keys: plan.keptKeys ?? [],
    candidates: plan.candidates ?? [],
    record_update_time: plan.record?.updateTime ?? null,
    after_hash: deps.vault.keyedHash(`change|${set.workspace_id}`, text),
    price_tokens: priceOf(change.object, effect) + lookTokens,
    ...(effect === 'create' || effect === 'update' || effect === 'delete'
      ? imagesOf(deps.vault, change, { before, after })
      : {}),
  };
}

/** Within one set a record is written once: what two rows want of it is for a person to sort out. */
async function leaveOutDoubles(
  tx: Tx,
  { set }: Work,
  planned: readonly PlannedRow[],
): Promise<PlannedRow[]> {
  const kept: PlannedRow[] = [];
  const objects = [...new Set(planned.map(({ row }) => row.change.object))];
  const taken = new Map<PipedriveObject, Set<string>>();
  for (const object of objects) {
    const own = planned.filter(({ row }) => row.change.object === object);
    const before = await listTaken(tx, set.id, {
      object,
      pipedriveIds: own.flatMap(({ plan }) => (isWrite(plan) ? (plan.record?.id ?? []) : [])),
      keyHashes: own.flatMap(({ row, plan }) =>
        plan.effect === 'create' ? row.step.key_hashes : [],
      ),
    });
    taken.set(
      object,
      new Set(before.flatMap((row) => [row.pipedrive_id ?? [], row.key_hashes].flat())),
    );
  }
  for (const one of planned.toSorted((a, b) => (a.row.change.id < b.row.change.id ? -1 : 1))) {
    const places = taken.get(one.row.change.object) ?? new Set();
    const claims = claimsOf(one);
    const isDouble = claims.some((claim) => places.has(claim));
    for (const claim of claims) places.add(claim);
    kept.push(isDouble ? { ...one, plan: leftOut(one.plan), lookTokens: 0 } : one);
  }
  return kept;
}

const isWrite = ({ effect }: Plan): boolean => effect !== 'none' && effect !== 'link';

function claimsOf({ row, plan }: PlannedRow): readonly string[] {
  if (!isWrite(plan)) return [];
  if (plan.effect === 'create') return row.step.key_hashes;
  return plan.record === undefined ? [] : [plan.record.id];
}

const leftOut = ({ record, matchedBy }: Plan): Plan => ({
  effect: 'none',
  reason: 'duplicate_in_change_set',
  ...(record === undefined ? {} : { record }),
  ...(matchedBy === undefined ? {} : { matchedBy }),
  before: {},
  after: {},
  changedKeys: [],
});
