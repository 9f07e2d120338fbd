import { acrossWorkspaces } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { createLatch } from '@manifold/messaging';
import { type SetupDeps, setUpConnection } from '../accounts/setup.ts';
import { removeOldStates } from '../oauth/store.ts';
import { leaseUpkeep } from './store.ts';

const POLL_MS = 250;
const BATCH = 5;
/** Long enough for five catalogues and a subscription; a replica that dies leaves it to another. */
const LEASE_MS = 120_000;
const KEEP_STATES_MS = 24 * 3_600_000;

/** Looks after connections: subscribed, fields known, announced. Works while another replica does too. */
export function startUpkeep(deps: SetupDeps): () => Promise<void> {
  const stopping = new AbortController();
  const latch = createLatch(POLL_MS, stopping.signal);
  const finished = (async () => {
    while (!stopping.signal.aborted) {
      const done = await keepUp(deps).catch((error: unknown) => {
        deps.log.error({ err: error }, 'connections not looked after');
        return 0;
      });
      if (done === 0) await latch.wait();
    }
  })();
  return async () => {
    stopping.abort();
    await finished;
  };
}

/** Looks after the connections that are due; returns how many there were. */
async function keepUp(deps: SetupDeps): Promise<number> {
  const now = deps.now();
  const due = await acrossWorkspaces(deps.db, (tx) =>
    leaseUpkeep(tx, { now, until: new Date(now.getTime() + LEASE_MS), limit: BATCH }),
  );
  for (const { workspace_id: workspaceId, id } of due) {
    try {
      await setUpConnection(deps, workspaceId, id);
    } catch (error) {
      // the lease runs out and it is tried again
      const reason = error instanceof Refusal ? error.detail.reason : undefined;
      deps.log.warn({ connection: id, reason, err: reason ? undefined : error }, 'upkeep failed');
    }
  }
  if (due.length > 0) await removeStates(deps);
  return due.length;
}

const removeStates = ({ db, now }: SetupDeps): Promise<void> =>
  acrossWorkspaces(db, (tx) => removeOldStates(tx, new Date(now().getTime() - KEEP_STATES_MS)));
