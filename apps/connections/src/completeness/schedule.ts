import { ReasonCode } from '@manifold/contracts';
import { withWorkspace } from '@manifold/database';
import { Refusal } from '@manifold/errors';
import { decideTracking } from '../registry/rules.ts';
import { findRegistry, setRegistry } from '../registry/store.ts';
import type { RecordRegistry } from '../registry/tables.ts';
import type { Tx } from '../store.ts';
import type { CompletenessDeps, Progress } from './reading.ts';
import { nextDue, retryDelayMs, type Standing } from './rules.ts';
import { findOpenCertificate, findWaitingCertificate, setCertificate } from './store.ts';
import type { Certificate } from './tables.ts';
import { explainFailure, type Trouble } from './trouble/rules.ts';

const REST_MS = 60_000;
const WELL = { reason: null, cause: null };

/** What a piece of work ended with: its progress, or what it threw. */
export type Ending = Progress | { next: 'threw'; error: unknown };

/** When there is something to do for an object next, and what keeps it from being done. */
export async function schedule(
  deps: CompletenessDeps,
  registry: RecordRegistry,
  ending: Ending,
): Promise<void> {
  const trouble = troubleOf(ending);
  reportOnce(deps, registry, { ending, trouble });
  const isFailed = ending.next === 'failed' || ending.next === 'threw';
  const failures = isFailed ? registry.failures + 1 : 0;
  await withWorkspace(deps.db, registry.workspace_id, async (tx) => {
    const open = await findOpenCertificate(tx, registry);
    await noteTrouble(tx, open, trouble);
    const current = await findRegistry(tx, registry);
    const now = deps.now();
    const after = (ms: number) => new Date(now.getTime() + ms);
    const noted = { failures, ...(trouble ?? WELL) };
    if (isFailed) {
      return setRegistry(tx, registry, { ...noted, due_at: after(pauseOf(ending, failures)) });
    }
    if (ending.next === 'waits') {
      // what came meanwhile may have been lost
      return setRegistry(tx, registry, { ...noted, due_at: after(REST_MS), sweep_at: now });
    }
    const waiting = await findWaitingCertificate(tx, registry);
    const standing = standingOf({ registry: current ?? registry, certificate: open, waiting, now });
    const due_at = ending.next === 'more' ? now : nextDue(standing, REST_MS);
    return setRegistry(tx, registry, { ...noted, due_at });
  });
}

async function noteTrouble(
  tx: Tx,
  open: Certificate | undefined,
  trouble: Trouble | undefined,
): Promise<void> {
  if (open === undefined || (trouble === undefined && open.reason === null)) return;
  await setCertificate(tx, open.id, trouble ?? WELL);
}

const pauseOf = (ending: Ending, failures: number): number => {
  if (ending.next !== 'failed') return retryDelayMs(failures);
  if (ending.pauseMs !== undefined) return ending.pauseMs;
  const { failure } = ending;
  return failure.outcome === 'limited' ? failure.retryAfterMs : retryDelayMs(failures);
};

function troubleOf(ending: Ending): Trouble | undefined {
  switch (ending.next) {
    case 'failed':
      return explainFailure(ending.failure);
    case 'waits':
      return { reason: ending.reason, cause: null };
    case 'threw': {
      const known = ending.error instanceof Refusal ? ending.error.detail.reason : undefined;
      return { reason: ReasonCode.catch('handler_failed').parse(known), cause: null };
    }
    case 'more':
    case 'rest':
      return undefined;
  }
}

/** One line when something comes to be amiss, not one for every try. */
function reportOnce(
  { log }: CompletenessDeps,
  registry: RecordRegistry,
  { ending, trouble }: { ending: Ending; trouble: Trouble | undefined },
): void {
  if (trouble === undefined || trouble.reason === registry.reason) return;
  const { workspace_id: workspace, object } = registry;
  const { reason } = trouble;
  const err = ending.next === 'threw' && reason === 'handler_failed' ? ending.error : undefined;
  log.warn({ workspace, object, reason, err }, 'records not tracked, trying again');
}

/** How an object stands, for the rules. */
export const standingOf = ({
  registry,
  certificate,
  waiting,
  now,
}: {
  registry: RecordRegistry;
  certificate: Certificate | undefined;
  waiting: Certificate | undefined;
  now: Date;
}): Standing => ({
  isNeeded: true,
  isReleasing: registry.releasing,
  hasOpenCertificate: certificate !== undefined,
  hasWaitingCertificate: waiting !== undefined,
  judgeAt: certificate?.judge_at ?? null,
  isBuilt: decideTracking(registry) === 'READY',
  sweepAt: registry.sweep_at,
  verifyAt: registry.verify_at,
  now,
});
