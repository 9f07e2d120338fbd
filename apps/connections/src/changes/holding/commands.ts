import { withWorkspace } from '@manifold/database';
import { changeHeldSet } from '../store.ts';
import { tellProgress } from '../telling/telling.ts';
import type { Work } from '../work.ts';
import { soonAfter } from './rules.ts';
import { listHolds } from './store.ts';

/** Notes why all that was handed to the sender waits, or that it goes on; told when that begins and ends. */
export async function noteHold({ deps, set }: Pick<Work, 'deps' | 'set'>): Promise<void> {
  const now = deps.now();
  await withWorkspace(deps.db, set.workspace_id, async (tx) => {
    const [hold] = await listHolds(tx, [set.id], soonAfter(now));
    const reason = hold?.reason ?? null;
    if (reason === set.waiting_reason) return;
    if (!(await changeHeldSet(tx, set, { waiting_reason: reason }))) return;
    await tellProgress(tx, set, { ...(reason === null ? {} : { waitsFor: reason }), now });
  });
}
