import { ReasonCode } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import type { Failure } from '@manifold/pipedrive';
import { findConnection } from '../accounts/store.ts';
import { decideFailure, decideUnforeseen, type FailureDecision } from '../writes/sending/rules.ts';
import { finishSet } from './deciding/ending.ts';
import { changeHeldSet, type ChangeSet } from './store.ts';
import { tellProgress } from './telling/telling.ts';
import type { ChangeSetDeps } from './work.ts';

const TURNED_AWAY_MS = 5_000;

/** A read that brought nothing: tried again when that may help, else a person is needed. */
export const handleFailure = (
  deps: ChangeSetDeps,
  set: ChangeSet,
  failure: Failure,
): Promise<void> =>
  goOn(deps, set, decideFailure(failure, { attempts: set.attempts, isWriteOf: undefined }));

/** What was thrown on the way: a connection that does not work, or something nobody foresaw. */
export async function handleError(
  deps: ChangeSetDeps,
  set: ChangeSet,
  error: unknown,
): Promise<void> {
  if (!(error instanceof Refusal)) {
    deps.log.error({ err: error, changeSet: set.id }, 'change set not worked on');
    return goOn(deps, set, decideUnforeseen(set.attempts));
  }
  const connection = await withWorkspace(deps.db, set.workspace_id, (tx) =>
    findConnection(tx, set.connection_id),
  );
  if (connection === undefined) {
    await finishSet({ deps, set }, { state: 'cancelled', reason: 'connection_missing' });
    return;
  }
  const reason = ReasonCode.catch('pipedrive_unreachable').parse(error.detail.reason);
  await goOn(deps, set, { decision: 'again', delayMs: TURNED_AWAY_MS, reason, counts: false });
}

async function goOn(deps: ChangeSetDeps, set: ChangeSet, decision: FailureDecision): Promise<void> {
  if (decision.decision === 'park') return needPerson(deps, set, decision.reason);
  const again =
    decision.decision === 'again'
      ? decision
      : { delayMs: TURNED_AWAY_MS, reason: 'pipedrive_unreachable' as const, counts: true };
  const now = deps.now();
  await withWorkspace(deps.db, set.workspace_id, async (tx) => {
    const kept = await changeHeldSet(tx, set, {
      waiting_reason: again.reason,
      attempts: set.attempts + (again.counts ? 1 : 0),
      not_before: new Date(now.getTime() + again.delayMs),
      lease_until: null,
      lease_owner: null,
    });
    // told when it begins to wait, not at every try
    if (!kept || set.waiting_reason === again.reason) return;
    await tellProgress(tx, set, { waitsFor: again.reason, now });
  });
}

/** A plan that cannot be made has failed; one that cannot be applied rests until it is resumed. */
async function needPerson(deps: ChangeSetDeps, set: ChangeSet, reason: ReasonCode): Promise<void> {
  if (set.state === 'planning') {
    await finishSet({ deps, set }, { state: 'failed', reason });
    return;
  }
  await withWorkspace(deps.db, set.workspace_id, async (tx) => {
    const kept = await changeHeldSet(tx, set, {
      state: 'paused',
      reason,
      attempts: 0,
      lease_until: null,
      lease_owner: null,
    });
    if (kept) await tellProgress(tx, set, { state: 'paused', now: deps.now() });
  });
}
