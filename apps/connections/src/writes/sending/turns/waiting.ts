import type { PipedriveRecord } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { setLinks } from '../../../links/store.ts';
import { type Held, linkKeysOf, type SendingDeps } from '../held.ts';
import { postpone } from '../ending/settle.ts';
import { lineUpForRecords } from './store.ts';

/** Whoever has the record is sending: a call takes a fraction of this, one in doubt the settle time. */
const LOOK_AGAIN_MS = 250;

/** Puts a step back that would come too early on its record; a call in doubt stays in doubt. */
export const waitForRecord = (deps: SendingDeps, held: Held): Promise<void> =>
  postpone(deps, held, {
    delayMs: LOOK_AGAIN_MS,
    reason: null,
    counts: false,
    state: held.step.sent_at === null ? 'queued' : 'unknown',
  });

/**
 * Takes the place of a step in line for the records it was found to be about, before anything is made
 * of what was read of them. True: it has to wait, and was put back.
 */
export async function isOutOfTurn(
  deps: SendingDeps,
  held: Held,
  records: readonly Pick<PipedriveRecord, 'id'>[],
): Promise<boolean> {
  const { step } = held;
  const ids = records.map(({ id }) => id);
  if (ids.every((id) => held.recordIds.includes(id))) return false;
  const mustWait = await withWorkspace(deps.db, step.workspace_id, async (tx) => {
    if (!(await lineUpForRecords(tx, step, ids))) return false;
    const [pipedriveId] = ids;
    // the look-up need not be paid for twice
    if (pipedriveId !== undefined && step.operation !== 'merge') {
      await setLinks(tx, linkKeysOf(step), { pipedriveId, now: deps.now() });
    }
    return true;
  });
  if (mustWait) await waitForRecord(deps, held);
  return mustWait;
}
