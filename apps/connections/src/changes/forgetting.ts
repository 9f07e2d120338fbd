import { setTimeout as sleep } from 'node:timers/promises';
import { acrossWorkspaces, withWorkspace } from '@manifold/database';
import { clearImages } from './applying/store.ts';
import { hasEnded } from './rules.ts';
import { listSetsToForget, lockChangeSet, setChangeSet } from './store.ts';
import type { ChangeSetDeps } from './work.ts';

const EVERY_MS = 60_000;
const SETS_AT_ONCE = 20;

type ForgettingDeps = Pick<ChangeSetDeps, 'db' | 'now' | 'log'>;

/** Removes values that may not be kept any longer, for ever. */
export function startForgetting(deps: ForgettingDeps): () => Promise<void> {
  const stopping = new AbortController();
  const finished = (async () => {
    while (!stopping.signal.aborted) {
      await forgetImages(deps).catch((error: unknown) =>
        deps.log.error({ err: error }, 'values of change sets not removed'),
      );
      await sleep(EVERY_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  })();
  return async () => {
    stopping.abort();
    await finished;
  };
}

/** One round; a plan nobody decided about in time is cancelled with its values. */
export async function forgetImages({ db, now }: ForgettingDeps): Promise<void> {
  const due = await acrossWorkspaces(db, (tx) =>
    listSetsToForget(tx, { now: now(), limit: SETS_AT_ONCE }),
  );
  for (const { workspace_id, id } of due) {
    await withWorkspace(db, workspace_id, async (tx) => {
      const set = await lockChangeSet(tx, id);
      if (set === undefined) return;
      await clearImages(tx, id);
      const end = hasEnded(set.state)
        ? {}
        : { state: 'cancelling' as const, reason: 'plan_expired' as const, not_before: now() };
      await setChangeSet(tx, id, { ...end, images_until: null });
    });
  }
}
