import type { PipedriveRecord } from '@manifold/contracts';
import type { Failure } from '@manifold/pipedrive';
import { openImage } from '../undoing/images.ts';
import { readRecords } from '../reading/reading.ts';
import { holds } from '../rules.ts';
import type { Change } from '../rows/store.ts';
import type { Work } from '../work.ts';
import { isSeenLately } from './rules.ts';

/** What a row is left out with. */
export type Drift = Pick<
  Change,
  'reason' | 'pipedrive_id' | 'candidates' | 'planned_cause' | 'planned_fix'
>;

type Checked =
  | {
      /** Those read just now and found as planned. */
      sound: Change['id'][];
      drifted: Map<string, Drift>;
    }
  | { failure: Failure };

/** Which changes still find their record as it was planned on; one that was seen lately is not read again. */
export async function checkRecords(work: Work, changes: readonly Change[]): Promise<Checked> {
  const checked = { sound: [] as Change['id'][], drifted: new Map<string, Drift>() };
  const now = work.deps.now();
  const own = changes.filter(
    ({ effect, checked_at }) =>
      (effect === 'update' || effect === 'delete') && !isSeenLately(checked_at, now),
  );
  for (const object of new Set(own.map((change) => change.object))) {
    const some = own.filter((change) => change.object === object);
    const read = await readRecords(work, object, {
      ids: some.flatMap(({ pipedrive_id }) => pipedrive_id ?? []),
      codes: some.flatMap(({ changed_keys }) => changed_keys),
    });
    if ('failure' in read) return read;
    for (const change of some) {
      const drift = driftOf(work, change, read.records.get(change.pipedrive_id ?? ''));
      if (drift === undefined) checked.sound.push(change.id);
      else checked.drifted.set(change.write_step_id, { ...change, reason: drift });
    }
  }
  return checked;
}

function driftOf(
  { deps }: Work,
  change: Change,
  record: PipedriveRecord | undefined,
): Change['reason'] | undefined {
  if (record === undefined) return 'record_gone';
  if (change.effect === 'delete') {
    return record.updateTime === change.record_update_time ? undefined : 'record_drifted';
  }
  const before = openImage(deps.vault, change, 'sealed_before');
  if (before === undefined) return 'plan_expired';
  return holds(record.fields, before) ? undefined : 'record_drifted';
}
