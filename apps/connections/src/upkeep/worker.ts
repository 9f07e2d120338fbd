import { acrossWorkspaces } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { createLatch } from '@manifold/messaging';
import { type SetupDeps, setUpConnection } from '../accounts/connecting/setup.ts';
import { type GrantUpkeepDeps, recheckCredential, tendGrants } from '../accounts/grants/upkeep.ts';
import type { MakingDeps } from '../oauth/completion/making.ts';
import { finishTraded } from '../oauth/completion/upkeep.ts';
import { removeOldStates } from '../oauth/store.ts';
import { leaseUpkeep } from './store.ts';

const POLL_MS = 250;
const BATCH = 5;
/** Long enough for a slow reading of all catalogues and a subscription; a replica that dies leaves it to another. */
const LEASE_MS = 240_000;
const KEEP_STATES_MS = 24 * 3_600_000;

type UpkeepDeps = SetupDeps & GrantUpkeepDeps & MakingDeps;

const TEND_GRANTS_MS = 60_000;

/** Looks after connections: subscribed, fields known, announced. Works while another replica does too. */
export function startUpkeep(deps: UpkeepDeps): () => Promise<void> {
  const stopping = new AbortController();
  const latch = createLatch(POLL_MS, stopping.signal);
  let tendAt = 0;
  const tend = async () => {
    const now = deps.now().getTime();
    if (now < tendAt) return;
    tendAt = now + TEND_GRANTS_MS;
    await finishTraded(deps);
    await tendGrants(deps);
    await removeStates(deps);
  };
  const finished = (async () => {
    while (!stopping.signal.aborted) {
      await tend().catch((error: unknown) => deps.log.error({ err: error }, 'grants not tended'));
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
async function keepUp(deps: UpkeepDeps): Promise<number> {
  const now = deps.now();
  const due = await acrossWorkspaces(deps.db, (tx) =>
    leaseUpkeep(tx, { now, until: new Date(now.getTime() + LEASE_MS), limit: BATCH }),
  );
  // side by side: one slow company does not hold up the others
  await Promise.all(due.map((connection) => keepUpOne(deps, connection)));
  return due.length;
}

async function keepUpOne(
  deps: UpkeepDeps,
  { workspace_id: workspaceId, id }: Awaited<ReturnType<typeof leaseUpkeep>>[number],
): Promise<void> {
  try {
    const connection = await setUpConnection(deps, workspaceId, id);
    if (connection?.status === 'NEEDS_REAUTH') await recheckCredential(deps, workspaceId, id);
  } catch (error) {
    // the lease runs out and it is tried again
    const reason = error instanceof Refusal ? error.detail.reason : undefined;
    deps.log.warn({ connection: id, reason, err: reason ? undefined : error }, 'upkeep failed');
  }
}

const removeStates = ({ db, now }: SetupDeps): Promise<void> =>
  acrossWorkspaces(db, (tx) => removeOldStates(tx, new Date(now().getTime() - KEEP_STATES_MS)));
