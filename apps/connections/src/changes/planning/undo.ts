import type { PipedriveObject, PipedriveRecord } from '@manifold/contracts';
import type { Failure } from '@manifold/pipedrive';
import type { Vault } from '../../vault/seal.ts';
import { openImages } from '../../writes/body.ts';
import type { Step } from '../../writes/store.ts';
import { openImage } from '../undoing/images.ts';
import { readRecords } from '../reading/reading.ts';
import type { ChangeRow } from '../rows/shown/store.ts';
import type { Work } from '../work.ts';
import { decideUndo, type Plan } from './rules.ts';

/** A change that is to be taken back, and the step that carried it out. */
export interface Undone {
  change: ChangeRow;
  step: Step;
}

/** The records that undone changes were about, as they are now. */
export async function matchUndone(
  work: Work,
  object: PipedriveObject,
  ready: readonly { row: { undone: Undone | undefined } }[],
): Promise<{ records: ReadonlyMap<string, PipedriveRecord> } | { failure: Failure }> {
  const undone = ready.flatMap(({ row }) => row.undone ?? []);
  return readRecords(work, object, {
    ids: undone.flatMap(({ step }) => step.pipedrive_id ?? []),
    codes: undone.flatMap(({ step }) => step.changed_keys),
  });
}

export function planUndo(
  vault: Vault,
  { change, step }: Undone,
  records: ReadonlyMap<string, PipedriveRecord>,
): Plan {
  const done = {
    effect: step.effect,
    changedKeys: step.changed_keys,
    updateTime: step.record_update_time,
    // what was sent holds the ids of earlier steps' records too
    before: openImages(vault, step)?.before ?? openImage(vault, change, 'sealed_before'),
    after: openImages(vault, step)?.after ?? openImage(vault, change, 'sealed_after'),
  };
  return decideUndo(done, records.get(step.pipedrive_id ?? ''));
}
