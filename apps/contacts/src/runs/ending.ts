import {
  type ReasonCode,
  SyncFinished,
  type SyncRunId,
  type WorkspaceId,
} from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { type Origin, publish } from '@manifold/messaging';
import { insertActivities } from '../feed/store.ts';
import type { DataSource, Db, SyncRun, Tx } from '../store.ts';
import { noRun } from './refusals.ts';
import { isActive, outcomeCounts } from './rules.ts';
import { findActiveRun, lockRun, updateRun } from './store.ts';

/** Ends a run at once; a page on its way is not stored. What is stored stays. */
export async function cancelSync(
  deps: { db: Db; now: () => Date },
  call: { origin: Origin; syncRunId: SyncRunId },
): Promise<SyncRun> {
  const { workspaceId } = call.origin;
  return withWorkspace(deps.db, workspaceId, async (tx) => {
    const run = await lockRun(tx, workspaceId, call.syncRunId);
    if (!run) throw noRun(call.syncRunId);
    if (run.state === 'CANCELLED') return run;
    if (!isActive(run.state)) {
      throw new Refusal('conflict', `The run ${run.id} has already ended`, {
        reason: 'sync_not_running',
      });
    }
    const end = { state: 'CANCELLED', reason: 'cancelled_by_user', now: deps.now() } as const;
    await endRun(tx, run, { ...end, actor: call.origin.actor });
    return { ...run, state: end.state, reason: end.reason, ended_at: end.now };
  });
}

/** Ends whatever run a source has; for a source that goes away. */
export async function cancelRunOf(
  tx: Tx,
  source: DataSource,
  { origin, now }: { origin: Origin; now: Date },
): Promise<void> {
  const active = await findActiveRun(tx, source.workspace_id, source.id);
  const run = active && (await lockRun(tx, source.workspace_id, active.id));
  if (!run || !isActive(run.state)) return;
  await endRun(tx, run, {
    state: 'CANCELLED',
    reason: 'cancelled_by_user',
    actor: origin.actor,
    now,
  });
}

/** The one way a run ends: state, time and event together. */
export async function endRun(
  tx: Tx,
  run: SyncRun,
  end: {
    state: 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
    reason?: ReasonCode;
    actor?: SyncRun['actor'];
    now: Date;
  },
): Promise<void> {
  const { state, reason, now } = end;
  await updateRun(tx, run.workspace_id, {
    id: run.id,
    changes: { state, reason: reason ?? null, ended_at: now, lease_id: null, lease_until: null },
  });
  await publish(tx, SyncFinished, {
    origin: { ...originOf(run), actor: end.actor ?? run.actor },
    key: run.id,
    payload: {
      dataSourceId: run.data_source_id,
      syncRunId: run.id,
      state,
      ...(reason === undefined ? {} : { reason }),
      counts: outcomeCounts(run.counts),
      costTokens: run.cost_tokens,
    },
    now,
  });
  const scope = { workspaceId: run.workspace_id, dataSourceId: run.data_source_id };
  const ended = { kind: 'RUN_ENDED', syncRunId: run.id, at: now } as const;
  await insertActivities(tx, scope, [{ ...ended, reason: reason ?? null }]);
}

/** What a run does is done for whoever started it. */
export const originOf = (run: {
  workspace_id: WorkspaceId;
  actor: SyncRun['actor'];
  correlation_id: string;
}): Origin => ({
  workspaceId: run.workspace_id,
  actor: run.actor,
  correlationId: run.correlation_id,
});
