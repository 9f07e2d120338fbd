import { setTimeout as sleep } from 'node:timers/promises';
import type { ChangeSetId } from '@manifold/contracts';
import { acrossWorkspaces, withWorkspace } from '@manifold/database';
import { recallInPages, recallUnsent } from '../applying/recall.ts';
import { clearImages } from '../applying/store.ts';
import { hasEnded } from '../rules.ts';
import type { Tx } from '../../store.ts';
import { type ChangeSet, listSetsToForget, lockChangeSet, setChangeSet } from '../store.ts';
import type { ChangeSetDeps } from '../work.ts';

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

/** One round over everything that is due; one set that fails does not keep the others. */
export async function forgetImages({ db, now, log }: ForgettingDeps): Promise<void> {
  let after: ChangeSet | undefined;
  do {
    const page = { now: now(), limit: SETS_AT_ONCE, after };
    const due = await acrossWorkspaces(db, (tx) => listSetsToForget(tx, page));
    for (const set of due) {
      await forget({ db, now }, set).catch((error: unknown) =>
        log.error({ err: error, changeSet: set.id }, 'values of a change set not removed'),
      );
    }
    after = due.at(-1);
  } while (after !== undefined);
}

async function forget(deps: Pick<ForgettingDeps, 'db' | 'now'>, set: ChangeSet): Promise<void> {
  await recallInPages(deps, set);
  await withWorkspace(deps.db, set.workspace_id, (tx) => forgetSet(tx, set.id, deps.now()));
}

/** One that nobody decided about in time is cancelled with its values. */
async function forgetSet(tx: Tx, id: ChangeSetId, now: Date): Promise<void> {
  const set = await lockChangeSet(tx, id);
  if (set === undefined || set.images_until === null || set.images_until > now) return;
  await clearImages(tx, id);
  if (hasEnded(set.state)) return setChangeSet(tx, id, { images_until: null });
  await recallUnsent(tx, id, now);
  const end = { state: 'cancelling', reason: 'plan_expired', not_before: now } as const;
  await setChangeSet(tx, id, { ...end, images_until: null });
}
