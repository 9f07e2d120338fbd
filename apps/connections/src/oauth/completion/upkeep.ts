import { acrossWorkspaces, withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import type { OauthState } from '../tables.ts';
import { giveUp } from './ending.ts';
import { makeConnection, type MakingDeps } from './making.ts';
import { CLAIM_MS, isHopelessAttempt, PATIENCE_MS } from './rules.ts';
import { openTraded } from './sealing.ts';
import { leaseTraded, setAttempt } from './store.ts';

const BATCH = 5;

/** Makes the connections somebody completed and a stop of the service kept from being made. */
export async function finishTraded(deps: MakingDeps): Promise<void> {
  const now = deps.now();
  // its person may be trying again
  const before = new Date(now.getTime() - CLAIM_MS);
  const until = new Date(now.getTime() + PATIENCE_MS);
  const left = await acrossWorkspaces(deps.db, (tx) =>
    leaseTraded(tx, { before, until, limit: BATCH }),
  );
  for (const begun of left) await finishOne(deps, begun, now);
}

async function finishOne(deps: MakingDeps, begun: OauthState, now: Date): Promise<void> {
  try {
    await makeConnection(deps, begun);
  } catch (error) {
    const reason = error instanceof Refusal ? error.detail.reason : undefined;
    deps.log.warn({ reason, err: reason ? undefined : error }, 'a completed consent is not kept');
    const { workspace_id: workspaceId, attempts } = begun;
    const kind = error instanceof Refusal ? error.kind : undefined;
    if (isHopelessAttempt(attempts, kind)) {
      await giveUp(deps, begun, openTraded(deps.vault, begun));
      return;
    }
    const change = { claimed_until: new Date(now.getTime() + PATIENCE_MS * attempts) };
    await withWorkspace(deps.db, workspaceId, (tx) => setAttempt(tx, begun, change));
  }
}
