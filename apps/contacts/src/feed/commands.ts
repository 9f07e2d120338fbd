import type { Applying } from '../links/commands.ts';
import type { Applied } from '../records/commands.ts';
import type { SyncRun, Tx } from '../store.ts';
import { insertActivities } from './store.ts';

const ofSource = ({ source }: Pick<Applying, 'source'>) => ({
  workspaceId: source.workspace_id,
  dataSourceId: source.id,
});

/** A run that skips more than this lists no more of them; its counts go on. */
const MAX_LISTED = 10_000;

/** Lists the records that were left out, and why; one that was only older than what is here is no news. */
export async function recordSkips(
  tx: Tx,
  applying: Applying,
  { applied, run }: { applied: readonly Applied[]; run?: SyncRun },
): Promise<void> {
  if ((run?.counts['skipped'] ?? 0) > MAX_LISTED) return;
  const { object, now } = applying;
  const skips = applied.flatMap(({ pipedriveId, outcome, reason }) =>
    outcome !== 'skipped' || reason === undefined || reason === 'superseded_by_newer'
      ? []
      : [
          {
            kind: 'RECORD_SKIPPED',
            syncRunId: run?.id,
            object,
            pipedriveId,
            reason,
            at: now,
          } as const,
        ],
  );
  await insertActivities(tx, ofSource(applying), skips);
}

const kinds = {
  created: 'RECORD_CREATED',
  updated: 'RECORD_UPDATED',
  deleted: 'RECORD_DELETED',
  detached: 'RECORD_DETACHED',
} as const;

/** A record that was followed outside a run. */
export async function recordChange(
  tx: Tx,
  applying: Applying,
  change: {
    entityId: string;
    action: keyof typeof kinds;
    pipedriveId: string;
    changedKeys: readonly string[];
  },
): Promise<void> {
  const { object, now } = applying;
  const { action, ...facts } = change;
  await insertActivities(tx, ofSource(applying), [
    { kind: kinds[action], object, at: now, ...facts },
  ]);
}
