import { withWorkspace } from '@manifold/database';
import { cancelUnder } from '../../writes/commands.ts';
import { listRestingIds, lookAtPending } from '../applying/store.ts';
import { finishSet } from './ending.ts';
import { originOf } from '../../writes/askers/rules.ts';
import { changeHeldSet } from '../store.ts';
import type { Stretch, Work } from '../work.ts';

/** In one transaction, which holds the row of the set. */
const AT_ONCE = 20;
const LOOK_AGAIN_MS = 150;

/** Closes the next rows of a cancelled set that were not sent, and the set after the last of them. */
export async function cancelStretch(work: Pick<Work, 'deps' | 'set'>): Promise<Stretch> {
  const { deps, set } = work;
  const pending = await withWorkspace(deps.db, set.workspace_id, async (tx) => {
    if (!(await changeHeldSet(tx, set, { attempts: 0 }))) return undefined;
    const ids = await listRestingIds(tx, set.id, AT_ONCE);
    await cancelUnder(tx, ids, { asker: originOf(set), now: deps.now(), why: 'user' });
    return lookAtPending(tx, set.id, 1);
  });
  if (pending === undefined) return { outcome: 'over' };
  if (pending.rests) return { outcome: 'more', afterMs: 0 };
  if (pending.released > 0) return { outcome: 'more', afterMs: LOOK_AGAIN_MS };
  return finishSet(work, { state: 'cancelled', reason: set.reason });
}
