import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Graph } from '../graph.ts';
import type { Screen } from '../screen.ts';

const ASK_EVERY_MS = 250;

const Run = z.object({
  id: z.string(),
  state: z.string(),
  reason: z.string().nullable(),
  progress: z.object({
    done: z.number(),
    total: z.number().nullable(),
    ratePerSecond: z.number().nullable(),
    remainingSeconds: z.number().nullable(),
  }),
});
const RUN_FIELDS = 'id state reason progress { done total ratePerSecond remainingSeconds }';

/** Starts the first sync, or follows the one an earlier start began, until it ends. */
export async function syncOnce(options: {
  graph: Graph;
  dataSourceId: string;
  screen: Screen;
  signal: AbortSignal;
}): Promise<void> {
  const { graph, dataSourceId, screen, signal } = options;
  const started = await graph(
    `mutation ($input: StartSyncInput!) { startSync(input: $input) { syncRun { ${RUN_FIELDS} } } }`,
    { input: { dataSourceId, idempotencyKey: `demo-first-sync-${dataSourceId}` } },
    z.object({ startSync: z.object({ syncRun: Run }) }),
  );
  let run = started.startSync.syncRun;
  if (run.state === 'SUCCEEDED') return;
  while (!['SUCCEEDED', 'FAILED', 'CANCELLED'].includes(run.state)) {
    signal.throwIfAborted();
    screen.progress(progressText(run));
    await sleep(ASK_EVERY_MS);
    const asked = await graph(
      `query ($id: ID!) { syncRun(id: $id) { ${RUN_FIELDS} } }`,
      { id: run.id },
      z.object({ syncRun: Run }),
    );
    run = asked.syncRun;
  }
  if (run.state !== 'SUCCEEDED') {
    throw new Error(
      `The first sync ended ${run.state.toLowerCase()}: ${run.reason ?? 'no reason given'}`,
    );
  }
  screen.say(`Synced ${run.progress.done} records from Pipedrive.`);
}

function progressText({ progress, state }: z.output<typeof Run>): string {
  const { done, total, ratePerSecond, remainingSeconds } = progress;
  return [
    `Syncing (${state.toLowerCase()}): ${done}${total === null ? '' : ` of ${total}`} records`,
    ratePerSecond === null ? '' : `${Math.round(ratePerSecond)}/s`,
    remainingSeconds === null ? '' : `${Math.ceil(remainingSeconds)} s left`,
  ]
    .filter(Boolean)
    .join(' · ');
}
