import type { PipedriveObject } from '@manifold/contracts';
import { countKnown } from '../../registry/records/store.ts';
import { listRegistries } from '../../registry/store.ts';
import type { Db } from '../../store.ts';
import type { Part } from '../policy/rules.ts';
import type { ObjectTally } from '../rows/store.ts';
import type { ChangeSet } from '../store.ts';

/** How large a part of each kind of record a plan changes, for the guard rail that asks for it. */
export async function partsOf(
  tx: Db,
  set: ChangeSet,
  tallies: readonly ObjectTally[],
): Promise<Part[]> {
  if (set.max_percent === null) return [];
  const known = await knownRecords(tx, set);
  return tallies.map(({ object, rows, changed }) => ({
    ...{ object, rows, changed },
    known: known.get(object),
  }));
}

/** Of which kinds of record all are known: their registry was built to the end. */
export async function completeRegistries(
  tx: Db,
  { workspace_id: workspaceId, company_id: companyId }: ChangeSet,
): Promise<ReadonlySet<PipedriveObject>> {
  const registries = await listRegistries(tx, workspaceId, companyId);
  return new Set(
    registries
      .filter(({ certified_until, releasing }) => certified_until !== null && !releasing)
      .map(({ object }) => object),
  );
}

async function knownRecords(tx: Db, set: ChangeSet): Promise<ReadonlyMap<PipedriveObject, number>> {
  const complete = await completeRegistries(tx, set);
  if (complete.size === 0) return new Map();
  const { workspace_id: workspaceId, company_id: companyId } = set;
  const counts = await countKnown(tx, { workspaceId, companyId });
  return new Map(
    counts
      .filter(({ object }) => complete.has(object))
      .map(({ object, count }) => [object, count] as const),
  );
}
